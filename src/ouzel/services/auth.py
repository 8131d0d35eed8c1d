"""Who somebody is: signing in and out, tokens, keys, and the first account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ouzel.base.errors import BadLogin, NotAllowed, NotSignedIn
from ouzel.base.ids import new_id
from ouzel.model.happening import Happening
from ouzel.model.users import Principal, Role, User, Via, name_key
from ouzel.services.attempts import Attempts, network_of
from ouzel.services.audit import Audit, Client
from ouzel.services.known import Known
from ouzel.services.passwords import Passwords
from ouzel.services.secrets import Secrets
from ouzel.services.tokens import KEY_PREFIX, Tokens, hash_of, new_token
from ouzel.services.users import checked_name
from ouzel.store.db import Db, Tx
from ouzel.store.sessions import SessionRepo, SessionRow
from ouzel.store.users import UserRepo

_AGENT_CHARS = 200


@dataclass(frozen=True, slots=True)
class AuthRules:
    """`[auth]`, as numbers."""

    access_life_s: float = 900.0
    refresh_life_s: float = 30 * 86400.0
    attempts: int = 10
    """Of signing in, from one address; to one account twice as many, since somebody else can use them up."""
    attempts_window_s: float = 900.0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a client gets when it signs in, or stays so."""

    user: User
    access: str
    access_until: datetime
    refresh: str
    """Good for one use."""
    refresh_until: datetime
    csrf: str


class Auth:
    """Make it once; `close` when it is not needed any more."""

    def __init__(self, db: Db, keys: Secrets, passwords: Passwords, audit: Audit, rules: AuthRules) -> None:
        self._db = db
        self._clock = db.clock
        self._rules = rules
        self._passwords = passwords
        self._audit = audit
        self._users = UserRepo(db)
        self._sessions = SessionRepo(db)
        self.tokens = Tokens(keys, db.clock, life_s=rules.access_life_s)
        self._known = Known(db)
        self._by_address = Attempts(db.clock, most=rules.attempts, window_s=rules.attempts_window_s)
        self._by_name = Attempts(db.clock, most=2 * rules.attempts, window_s=rules.attempts_window_s)

    def close(self) -> None:
        self._known.close()

    async def setup_token(self) -> str | None:
        """To be shown once, when the daemon starts: who has it makes the first account. None: there is an administrator.

        Each call makes a new one, and the one before is void.
        """
        async with self._db.transaction() as tx:
            if await self._users.administrators_in(tx):
                return None
            token = new_token()
            await self._sessions.set_setup_link_in(tx, hash_of(token), self._clock.now())
            return token

    async def setup(self, token: str, name: str, password: str, client: Client) -> SignedIn:
        """Make the first administrator, and sign in.

        Raises: NotAllowed, Invalid, WeakPassword, TooManyAttempts.
        """
        keys = [network_of(client.address)]
        self._by_address.begin(keys)
        try:
            async with self._db.transaction() as tx:
                await self._require_setup_link(tx, token)
        except NotAllowed as exc:
            await self._audit.note(None, "auth.setup", outcome=exc.code, client=client)
            raise
        name = checked_name(name)
        self._passwords.check(password, name)
        hashed = await self._passwords.hash(password)
        now = self._clock.now()
        user = User(new_id(now), name, Role.ADMIN, frozenset(), False, None, 1, now, now)
        async with self._db.transaction() as tx:
            await self._require_setup_link(tx, token)  # somebody else may have been quicker
            await self._sessions.set_setup_link_in(tx, None, now)
            await self._users.add_in(tx, user, hashed)
            tx.emit(Happening("user.changed", user.id, {"action": "added"}))
            signed_in = await self._begin_in(tx, user, client)
            await self._audit.note_in(tx, _principal(user), "auth.setup", subject=user.id, client=client)
        self._by_address.succeeded(keys)
        return signed_in

    async def login(self, name: str, password: str, client: Client) -> SignedIn:
        """Raises: BadLogin, TooManyAttempts."""
        address, account = [network_of(client.address)], [_counted_as(name)]
        self._by_address.begin(address)
        self._by_name.begin(account)
        found = await self._users.login(name)
        stored = found[1] if found and not found[0].disabled else None
        if not await self._passwords.verify(stored, password) or found is None:
            await self._audit.note(None, "auth.login", outcome=BadLogin.code, client=client, name=name)
            raise BadLogin("name or password is wrong")
        user, old_hash = found
        better = await self._passwords.hash(password) if self._passwords.outdated(old_hash) else None
        async with self._db.transaction() as tx:
            user = await self._still_there(tx, user.id)
            if better is not None:
                await self._users.change_in(tx, user, better)
            await self._users.signed_in(tx, user.id, self._clock.now())
            signed_in = await self._begin_in(tx, user, client)
            await self._audit.note_in(tx, _principal(user), "auth.login", subject=user.id, client=client)
        self._by_address.succeeded(address)
        self._by_name.succeeded(account)
        return signed_in

    async def refresh(self, token: str, client: Client) -> SignedIn:
        """Change a refresh token for a new one. One that was used before ends all that came from the same sign-in.

        Raises: NotSignedIn.
        """
        now = self._clock.now()
        async with self._db.transaction() as tx:
            row = await self._sessions.get_in(tx, hash_of(token))
            user = await self._users.get_in(tx, row.user_id) if row else None
            if row is not None and user is not None and row.rotated_to is not None:
                await self._sessions.end_in(tx, row.family)
                tx.emit(Happening("user.changed", user.id, {"action": "session_reused"}))
                await self._audit.note_in(
                    tx, None, "auth.refresh", subject=user.id, outcome="reused", client=client, name=user.name
                )
                refused = "this session was ended: one of its tokens was used twice"
            elif row is None or user is None or user.disabled or row.expires_at <= now:
                refused = "this session is over"
            else:
                return await self._begin_in(tx, user, client, after=row)
        raise NotSignedIn(refused)

    async def logout(self, who: Principal, client: Client) -> None:
        """End the session of an access token; of whoever has none, nothing."""
        if who.session is None:
            return
        async with self._db.transaction() as tx:
            await self._sessions.end_in(tx, who.session)
            await self._audit.note_in(tx, who, "auth.logout", subject=who.user_id, client=client)
        self._known.forget(who.user_id)

    async def change_password(self, who: Principal, old: str, new: str, client: Client) -> None:
        """One's own. All other sessions of the account end.

        Raises: NotAllowed, BadLogin, WeakPassword, TooManyAttempts.
        """
        if who.session is None:
            raise NotAllowed("only who has signed in with a password can change it")
        account = [_counted_as(who.name)]
        self._by_name.begin(account)
        if not await self._passwords.verify(await self._users.password_hash(who.user_id), old):
            await self._audit.note(who, "auth.password", subject=who.user_id, outcome=BadLogin.code, client=client)
            raise BadLogin("the present password is wrong")
        self._by_name.succeeded(account)
        self._passwords.check(new, who.name)
        hashed = await self._passwords.hash(new)
        async with self._db.transaction() as tx:
            user = await self._still_there(tx, who.user_id)
            await self._users.change_in(tx, replace(user, revision=user.revision + 1), hashed)
            await self._sessions.end_all_in(tx, user.id, but=who.session)
            tx.emit(Happening("user.changed", user.id, {"action": "password"}))
            await self._audit.note_in(tx, who, "auth.password", subject=user.id, client=client)

    async def identify(self, credential: str, via: Via) -> Principal:
        """Whose access token or API key it is.

        Args:
            via: COOKIE or BEARER; of a key or a local token it does not count.
        Raises: NotSignedIn.
        """
        if credential.startswith(KEY_PREFIX):
            return await self._known.by_key(hash_of(credential))
        claims = self.tokens.read(credential)
        if claims.session is None:
            return Principal(claims.user_id, Role.ADMIN, via=Via.LOCAL, name=claims.user_id)
        return replace(await self._known.by_session(claims.user_id, claims.session), via=via)

    async def signed_for(self, user_id: str) -> Principal:
        """As whom an address was signed for: it may look, and nothing else. Raises: NotSignedIn."""
        return await self._known.by_user(user_id)

    async def again(self, who: Principal) -> Principal:
        """The same one, as things stand now: for connections that stay. Raises: NotSignedIn: it is not to stay."""
        return await self._known.again(who)

    async def user(self, who: Principal) -> User | None:
        """None: of a local token."""
        return await self._users.get(who.user_id)

    async def _require_setup_link(self, tx: Tx, token: str) -> None:
        if await self._users.administrators_in(tx) or not await self._sessions.is_setup_link_in(tx, hash_of(token)):
            raise NotAllowed(
                "this set-up link is not valid any more; a daemon without an account prints one when it starts"
            )

    async def _still_there(self, tx: Tx, user_id: str) -> User:
        user = await self._users.get_in(tx, user_id)
        if user is None or user.disabled:
            raise BadLogin("name or password is wrong")
        return user

    async def _begin_in(self, tx: Tx, user: User, client: Client, *, after: SessionRow | None = None) -> SignedIn:
        """`after`: the token that is changed for a new one."""
        now = self._clock.now()
        until = now + timedelta(seconds=self._rules.refresh_life_s)
        refresh, family = new_token(), after.family if after else new_id(now)
        row = SessionRow(
            hash_of(refresh), family, user.id, None, now, until, client.user_agent[:_AGENT_CHARS], client.address
        )
        await self._sessions.sweep_in(tx, now)
        await self._sessions.add_in(tx, row, instead_of=after.token_hash if after else None)
        access, access_until = self.tokens.access(user.id, family)
        return SignedIn(user, access, access_until, refresh, until, self.tokens.csrf(family))


def _principal(user: User) -> Principal:
    return Principal(user.id, user.role, user.labels, name=user.name)


def _counted_as(name: str) -> str:
    return name_key(name)[:64]
