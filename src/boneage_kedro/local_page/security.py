"""What keeps other web sites away from the radiographs: a page served to this machine is not yet a private one.

Any site open in the same browser can send requests to 127.0.0.1. It can neither read the answers nor save anything:
names that resolve to this machine (DNS rebinding) fail at the Host header, requests of other sites at the Origin.
"""

from collections.abc import Sequence
from functools import partial

from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

HOSTS = ["127.0.0.1", "localhost"]
READING = frozenset({"GET", "HEAD"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",  # radiographs do not stay in the browser's cache
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def only_this_machine(app: ASGIApp, hosts: Sequence[str] = HOSTS, programs: bool = False) -> ASGIApp:
    """Refuse requests that name another host, or that come from another site and would change something.

    Answers 400 to a foreign Host header and 403 to a request other than GET and HEAD whose Origin is not the page
    itself; a missing Origin counts as foreign, since every browser sends one there.

    Args:
        hosts: names under which the page may be asked for.
        programs: whether a missing Origin is allowed, so that programs that are no browser can ask too.
    """
    checked = BaseHTTPMiddleware(app, dispatch=partial(_same_origin, programs=programs))
    return TrustedHostMiddleware(checked, hosts, www_redirect=False)


async def _same_origin(request: Request, answer: RequestResponseEndpoint, programs: bool) -> Response:
    own = f"http://{request.headers['host']}"  # a trusted one: that was checked before
    origin = request.headers.get("origin")
    if request.method in READING or origin == own or (programs and origin is None):
        response = await answer(request)
    else:
        response = JSONResponse({"detail": f"only the page at {own} may change something here"}, 403)
    response.headers.update(HEADERS)
    return response
