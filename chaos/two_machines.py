"""PART=standby: a primary whose standby confirms each save, killed again and again."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import django

from bench.servers import address_of
from chaos import kills
from chaos.one_machine import courses_for, served_copy
from chaos.plan import TWO_MACHINES, Kill, Step
from chaos.run import Load, Report, Say, run
from chaos.site import UP_WITHIN_S, ChaosError, Site, environment
from crs_app.local_postgres import OWNER, WEB, LocalServer

_CONFIRMING: Final = (
    "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"
)


@dataclass
class Pair:
    """Primary and standby; ``promoted`` counts how often the second became the first."""

    primary: LocalServer
    standby: LocalServer
    clusters: ExitStack
    promoted: int = 0

    def do(self, step: Step, site: Site) -> bool:
        """Do a step of the plan to this pair, or to the site in front of it.

        :raises ChaosError: where a standby does not follow or is not promoted.
        """
        from crs_app.operations.programs import OperationsError

        try:
            if step.kill is Kill.STANDBY:
                self._restart_standby()
                return True
            if step.kill is Kill.PRIMARY:
                self._promote(site)
                return True
        except OperationsError as error:
            raise ChaosError(f"{step.kill.value}: {error}") from error
        return kills.do(step, site)

    def _restart_standby(self) -> None:
        """Kill the standby and start it: saves wait meanwhile."""
        from crs_app.operations.drill_clusters import kill

        kill(self.standby)
        self.standby.start()
        wait_until_followed(self.primary)

    def _promote(self, site: Site) -> None:
        """Kill the primary, let the standby take its place, and give it a standby of its own."""
        from crs_app.operations.drill_clusters import kill, new_cluster, wait_until_promoted
        from crs_app.operations.standby_drill import follow

        wait_until_followed(self.primary)
        kill(self.primary)
        self.standby.run("pg_ctl", "promote", "-w", "-D", str(self.standby.data))
        wait_until_promoted(self.standby)
        self.primary, self.promoted = self.standby, self.promoted + 1
        site.database = self.primary
        site.environment |= addresses(self.primary)
        site.restart()
        self.standby = self.clusters.enter_context(new_cluster(is_empty=True))
        follow(self.standby, self.primary)


def wait_until_followed(primary: LocalServer) -> None:
    """Wait until a standby confirms the saves of ``primary``.

    :raises ChaosError: where none does in time.
    """
    deadline = time.monotonic() + UP_WITHIN_S
    with primary.connect() as connection:
        while connection.execute(_CONFIRMING).fetchone() is None:
            if time.monotonic() > deadline:
                raise ChaosError("The standby does not follow.")
            time.sleep(0.1)


def addresses(server: LocalServer) -> dict[str, str]:
    """Return the settings of a site that uses ``server``, as web role and as owner."""
    return {
        "DATABASE_URL": address_of(server, WEB),
        "CRS_OWNER_DATABASE_URL": address_of(server, OWNER),
    }


def prove(load: Load, say: Say) -> Report:
    """Serve a copy of the checkout on two machines, and do a run."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crs_app.settings")
    django.setup()
    from crs_app.operations.drill_clusters import new_cluster
    from crs_app.operations.standby_drill import follow

    with ExitStack() as stack:
        site = stack.enter_context(served_copy())
        primary = stack.enter_context(new_cluster())
        standby = stack.enter_context(new_cluster(is_empty=True))
        primary.start()
        primary.create_database()
        site.database = primary
        site.environment = environment({"CRS_SECOND_FACTOR_ROLES": "", **addresses(primary)})
        site.prepare()
        ward = site.fill(load.nurses, courses_for(load))
        follow(standby, primary)
        site.start()
        stack.callback(site.end)
        site.wait_until_ready()
        pair = Pair(primary, standby, stack)
        report = run(site, ward, load, TWO_MACHINES, pair.do, say)
        report.figures["standby promoted"] = pair.promoted
        return report
