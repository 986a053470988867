from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crs_app.operations.last_runs import LAST_VERIFY, NotNotedError, write_last_run
from crs_app.operations.programs import OperationsError
from crs_app.operations.verified import verify_site


class Command(BaseCommand):
    help = (
        "Run verify_grades and verify_audit, and note the result with figures in "
        "CRS_OPERATIONS_DIR for those who watch the site."
    )

    def handle(self, **_options: Any) -> None:
        try:
            figures, faults = verify_site()
            for fault in faults:
                self.stderr.write(fault)
            self.stdout.write(", ".join(f"{name}: {value}" for name, value in figures.items()))
            write_last_run(LAST_VERIFY, figures)
        except (OperationsError, NotNotedError) as error:
            raise CommandError(str(error)) from error
        if faults:
            raise CommandError("The verification found faults: they are listed above.")
