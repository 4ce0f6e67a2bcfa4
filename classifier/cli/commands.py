"""How commands fail: one line on standard error and the contract's exit code, in one place."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

import click

from classifier.errors import Exit, StallcheckError


class OneLineErrors(click.Group):
    """A group whose errors are one line each, never a usage screen or a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; when `standalone_mode`, exit with its code."""
        run = partial(super().main, args, prog_name, complete_var, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        try:
            code: object = run()
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            sys.exit(Exit.USAGE)
        except click.UsageError as error:
            hint = error.ctx.command_path if error.ctx else "stallcheck"
            fail(f"{error.format_message()} (see '{hint} --help')", Exit.USAGE)
        except click.ClickException as error:
            fail(error.format_message(), Exit.USAGE)
        except StallcheckError as error:
            fail(str(error), error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            fail("stopped", Exit.FAILED)
        except BrokenPipeError:  # the reader of our output went away, as `head` does
            sys.stdout = None
            sys.exit(Exit.DONE)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            fail(f"{where}{(error.strerror or str(error)).lower()}", Exit.FAILED)
        sys.exit(code if isinstance(code, int) else Exit.DONE)


def fail(message: str, code: Exit) -> NoReturn:
    """Print one line on standard error and exit."""
    click.echo(f"stallcheck: {' '.join(message.split())}", err=True)
    sys.exit(code)
