"""Keep the cards that another system was shown, so that feedback on them can be kept."""

from __future__ import annotations

from django.utils import timezone

from patients.exchange.cds_hooks.answer import Answer
from patients.exchange.cds_hooks.hook_request import HookRequest
from patients.models import CardShown, ExternalSystem


def keep_cards(system: ExternalSystem, request: HookRequest, answer: Answer) -> None:
    """Keep the cards of ``answer`` in one statement."""
    now = timezone.now()
    CardShown.objects.bulk_create(
        CardShown(
            id=card.id,
            system=system,
            course=answer.course,
            service=request.service.id,
            hook_instance=request.hook_instance,
            user_id=request.user_id,
            topic=card.source.topic,
            indicator=card.indicator,
            summary=card.summary,
            shown_at=now,
        )
        for card in answer.cards
    )
