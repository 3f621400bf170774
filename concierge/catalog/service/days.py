"""Which day it is for an organization."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from concierge.catalog.models import CatalogSetting


def today_of(setting: CatalogSetting | None, now: datetime) -> date:
    return now.astimezone(ZoneInfo("UTC" if setting is None else setting.time_zone)).date()
