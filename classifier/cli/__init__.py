"""The `stallcheck` command: parse, call the library, print."""

from __future__ import annotations

import click

import classifier
from classifier.cli.check import check
from classifier.cli.commands import OneLineErrors
from classifier.cli.compare import compare
from classifier.cli.drift import drift
from classifier.cli.evaluate import evaluate
from classifier.cli.label import label
from classifier.cli.models import models, promote, rollback
from classifier.cli.playbook import playbook
from classifier.cli.predict import predict
from classifier.cli.queue import queue
from classifier.cli.respond import respond
from classifier.cli.serve import serve
from classifier.cli.train import train

EPILOG = """\b
Examples:
  stallcheck predict "Let me think about it"
  stallcheck label crm_export.csv -o labelled.csv
  stallcheck respond price
  stallcheck COMMAND --help

\b
Shell completion (bash; zsh and fish alike):
  eval "$(_STALLCHECK_COMPLETE=bash_source stallcheck)"
"""


@click.group(
    cls=OneLineErrors,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(classifier.__version__, prog_name="stallcheck")
def cli() -> None:
    """Was that a stall or a real objection?

    Reads a buyer's words and says whether they are a stall (holding back, no reason given), an
    objection (holding back, a reason given) or neither, how sure that is, which words decided
    it, and what to say next. Everything runs on this machine.
    """


for command in (
    predict,
    label,
    respond,
    playbook,
    serve,
    check,
    train,
    evaluate,
    compare,
    promote,
    rollback,
    models,
    queue,
    drift,
):
    cli.add_command(command)
