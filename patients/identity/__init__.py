"""Who a patient is: corrections of identities, joins, entries on the wrong patient."""
