from concierge.accounts.scope import Unit
from concierge.catalog.repository import ProductRepository
from concierge.catalog.schemas.offers import CatalogSettings, CatalogSettingsOut
from concierge.kit.clock import Clock, utc_now


class CatalogSettingsService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._repository = ProductRepository(unit.session, unit.scope)
        self._clock = clock

    async def get(self) -> CatalogSettingsOut:
        setting = await self._repository.setting()
        waiting = await self._repository.count_waiting()
        if setting is None:
            return CatalogSettingsOut(version=0, products=0, waiting=waiting)
        return CatalogSettingsOut(
            currency=setting.currency,
            time_zone=setting.time_zone,
            synonyms=setting.synonyms,
            version=setting.version,
            products=setting.product_count,
            waiting=waiting,
        )

    async def change(self, wanted: CatalogSettings) -> CatalogSettingsOut:
        """The currency is that of products which are added from now on; those that are there keep theirs."""
        setting = await self._repository.begin_change(self._clock())
        for name, value in wanted.model_dump().items():
            setattr(setting, name, value)
        await self._repository.flush()
        return await self.get()
