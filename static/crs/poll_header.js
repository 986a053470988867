// The header of a request that a page sends by itself (crs_app/accounts/middleware.py). It is no act for the idle lock,
// and after a sign-out it is answered by 401 and not by a new page.

export const POLL_HEADER = "CRS-Poll";
