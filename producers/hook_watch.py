"""Looks now and then whether Cin7 still calls our webhooks: after six failures it stops, and says so to nobody."""

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from shared.cin7.client import Cin7Client
from shared.cin7.records.webhooks import Webhook
from shared.cin7.registration import state_of, wanted
from shared.config.settings import Cin7Settings
from shared.errors import ConnectorError
from shared.ledger import webhooks
from shared.ledger.connection import Ledger
from shared.ledger.webhooks import Ours, State

log = structlog.get_logger()

#: Seconds between looks at whether an account is due.
LOOK_EVERY_S: Final = 5.0


class HookWatch:
    """Any number may run: an account that one has taken, the others pass over.

    Args:
        secret: returns the stored secret of the hooks; it is asked only where a webhook is to be switched on again.
    """

    def __init__(
        self,
        ledger: Ledger,
        accounts: Mapping[str, Cin7Settings],
        cin7: Callable[[str], Cin7Client],
        secret: Callable[[], str],
    ) -> None:
        self.ledger = ledger
        self.accounts = accounts
        self.cin7 = cin7
        self.secret = secret

    def run(self, stopping: Callable[[], bool]) -> None:
        """Watch until told to stop."""
        while not stopping():
            try:
                self.turn()
            except ConnectorError as error:
                log.warning("webhooks not looked at", reason=str(error))
            for _ in range(int(LOOK_EVERY_S / 0.2)):
                if not stopping():
                    time.sleep(0.2)

    def turn(self) -> list[str]:
        """Look at every account that is due; return which those were."""
        due: list[str] = []
        for account, settings in self.accounts.items():
            with self.ledger.transaction() as cur:
                due += webhooks.due(cur, [account], settings.hooks_look_every_s)
        for account in due:
            try:
                self._look(account)
            except ConnectorError as error:
                log.warning("webhooks not looked at", account=account, reason=str(error))
                with self.ledger.transaction() as cur:
                    webhooks.unseen(cur, account, str(error))
        return due

    def _look(self, account: str) -> None:
        existing = self.cin7(account).webhooks(lane="reconciliation")
        with self.ledger.transaction() as cur:
            known = webhooks.all_of(cur, [account])
        for ours in known:
            there = next((one for one in existing if one.id == ours.id), None)
            state = state_of(there)
            if there is not None and state == "off" and self.accounts[account].hooks_reactivate:
                state = self._reactivated(ours, there)
            with self.ledger.transaction() as cur:
                news = webhooks.seen(cur, ours, state)
            if news and state != "on":
                log.warning(TOLD[state], account=account, url=ours.url)
            elif news:
                log.info("a webhook is on again", account=account, url=ours.url)

    def _reactivated(self, ours: Ours, there: Webhook) -> State:
        """Switch a webhook on again, because the settings say so: with all that it is, since a PUT replaces it."""
        self.cin7(ours.account).update_webhook(wanted(ours.url, self.secret(), there))
        log.warning("Cin7 had switched a webhook off; it is on again", account=ours.account, url=ours.url)
        return "on"


#: What the log says of each state that is not as it should be.
TOLD: Final[dict[State, str]] = {
    "off": "Cin7 has switched a webhook off: repair what it calls, then run `connector hooks register`",
    "gone": "a webhook of ours was deleted in Cin7: run `connector hooks register` to have it again",
}
