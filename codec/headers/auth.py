"""Users and access rules."""

from codec.headers.fields import RequestHeader


class CreateUserRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks AUTH_CREATE_USER (3001). Source: CreateUserRequestHeader.java, 5.3.3."""

    username: str | None = None


class UpdateUserRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks AUTH_UPDATE_USER (3002). Source: UpdateUserRequestHeader.java, 5.3.3."""

    username: str | None = None


class DeleteUserRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks AUTH_DELETE_USER (3003). Source: DeleteUserRequestHeader.java, 5.3.3."""

    username: str | None = None


class GetUserRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks AUTH_GET_USER (3004). Source: GetUserRequestHeader.java, 5.3.3."""

    username: str | None = None


class ListUsersRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks AUTH_LIST_USER (3005). Source: ListUsersRequestHeader.java, 5.3.3."""

    filter: str | None = None


class CreateAclRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks AUTH_CREATE_ACL (3006). Source: CreateAclRequestHeader.java, 5.3.3."""

    subject: str | None = None


class UpdateAclRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks AUTH_UPDATE_ACL (3007). Source: UpdateAclRequestHeader.java, 5.3.3."""

    subject: str | None = None


class DeleteAclRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks AUTH_DELETE_ACL (3008). Source: DeleteAclRequestHeader.java, 5.3.3."""

    subject: str | None = None
    policy_type: str | None = None
    resource: str | None = None


class GetAclRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks AUTH_GET_ACL (3009). Source: GetAclRequestHeader.java, 5.3.3."""

    subject: str | None = None


class ListAclsRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks AUTH_LIST_ACL (3010). Source: ListAclsRequestHeader.java, 5.3.3."""

    subject_filter: str | None = None
    resource_filter: str | None = None
