// Shows the shell where a page cannot be loaded. It keeps the shell page and its files, and no answer to any other
// request: nothing of a patient is ever in its cache.

const CACHE = "crs-shell-{{ version }}";
const SHELL = {{ shell|tojson }};
const ADDRESSES = new Set({{ addresses|tojson }});
const NOT_REACHED = [502, 504]; // a proxy that does not reach the server

// A connection that ends among the headers, without https, looks like a good answer of no type, with nothing in it.
const isCut = (response) => response.ok && !response.headers.has("Content-Type");
const isWhole = (response) => response.ok && !isCut(response);

const fetchWhole = async (address) => {
  const response = await fetch(new Request(address, { cache: "reload" }));
  if (!isWhole(response)) throw new TypeError(`No whole answer for ${address}`);
  return [address, response];
};

self.addEventListener("install", (event) => {
  const fill = async () => {
    const fetched = await Promise.all([...ADDRESSES].map(fetchWhole));
    const cache = await caches.open(CACHE);
    await Promise.all(fetched.map(([address, response]) => cache.put(address, response)));
    await self.skipWaiting();
  };
  event.waitUntil(fill());
});

self.addEventListener("activate", (event) => {
  const begin = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("crs-shell-") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  };
  event.waitUntil(begin());
});

const kept = async (address) => (await caches.open(CACHE)).match(address);

const page = async (event) => {
  try {
    const response = (await event.preloadResponse) ?? (await fetch(event.request));
    if (!NOT_REACHED.includes(response.status) && !isCut(response)) return response;
  } catch {
    // No network.
  }
  return (await kept(SHELL)) ?? Response.error();
};

// A file of the shell that a proxy does not reach, or that an update of the site took away, is the kept one.
const file = async (request) => {
  const response = await fetch(request).catch(() => Response.error());
  return isWhole(response) ? response : ((await kept(new URL(request.url).pathname)) ?? response);
};

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const { origin, pathname } = new URL(request.url);
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (origin === self.location.origin && ADDRESSES.has(pathname)) event.respondWith(file(request));
});
