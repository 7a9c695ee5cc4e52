"""The option of every command that reads the books itself instead of asking a running backend."""

from typing import Annotated

import typer

Database = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="TILLWAY_BACKEND_DATABASE_URL",
        help="The backend's database_url; of its own file sqlite:///STATE/backend.db.",
    ),
]
