"""Statements about other systems for the metrics of the site, which have their own connection."""

from __future__ import annotations

from typing import Final

SQL_SYSTEMS: Final = """
SELECT system.name, system.kind,
    extract(epoch FROM clock_timestamp() - (
        SELECT message.received_at FROM patients_inboundmessage AS message
        WHERE message.system_id = system.id ORDER BY message.received_at DESC LIMIT 1
    ))::float8 AS heard_seconds,
    (
        SELECT count(*) FROM patients_inboundmessage AS message
        WHERE message.system_id = system.id AND message.verdict <> 'accepted'
            AND message.received_at > clock_timestamp() - interval '1 hour'
    ) AS not_accepted
FROM patients_externalsystem AS system
WHERE system.is_active
ORDER BY system.name
"""
"""Each active system: when it was heard last (NULL: never), what of an hour was not accepted."""

SQL_WAITING: Final = """
SELECT system.name, count(*)
FROM patients_helditem AS item
JOIN patients_inboundmessage AS message ON message.id = item.message_id
JOIN patients_externalsystem AS system ON system.id = message.system_id
WHERE NOT EXISTS (
    SELECT FROM patients_helddecision AS decision WHERE decision.item_id = item.id
)
GROUP BY system.name
"""
"""The held items that nobody has decided about, by system; one without any is left out."""
