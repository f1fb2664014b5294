"""The error codes of the service, with their Russian texts and HTTP statuses."""

from typing import Final

# The vendor documents no codes for these two. Codes below 1000 are internal and not part of a response.
UNAUTHORIZED: Final = 401
TOO_MANY_REQUESTS: Final = 429

ERROR_TEXTS: Final[dict[int, str]] = {
    UNAUTHORIZED: "Требуется авторизация",
    TOO_MANY_REQUESTS: "Слишком много запросов",
    1000: "Неизвестная ошибка",
    1001: "Тело запроса не является корректным JSON",
    1002: "Экземпляр API отключен в панели управления",
    1003: "Экземпляр API был удален",
    1004: "Нет зарегистрированных устройств",
    1005: "Нет прав на отправку сообщений",
    1006: "Исчерпан месячный лимит сообщений по тарифу",
    1007: "Нет прав на просмотр сообщений",
    1008: "Сообщение с таким id не найдено",
    1009: "Нет прав на удаление сообщений",
    1010: "Сообщение еще нельзя удалить, повторите попытку через 5 минут",
    1011: "Нет прав на просмотр устройств",
    1012: "Устройство с таким id не найдено",
    1013: "Нет прав на изменение устройств",
    1014: "Нет прав на удаление устройств",
    1015: "Нет активных устройств для отправки",
    1016: "Устройство с таким device_id не найдено",
    1017: "Параметр to_sim указан без device_id",
    2001: "Некорректный phone_number",
    2002: "Некорректный message",
    2003: "Некорректный id",
    2004: "Некорректный callback_id",
    2005: "Некорректный device_id",
    2006: "Некорректный limit",
    2007: "Некорректный offset",
    2008: "Некорректный to_sim",
    2009: "Некорректный is_active",
    3000: "Аккаунт заблокирован, обратитесь в службу поддержки",
}

# The vendor documents which HTTP statuses exist, but not which belongs to which code: this is a plausible choice. All
# other codes come with 400.
HTTP_STATUSES: Final[dict[int, int]] = {
    UNAUTHORIZED: 401,
    TOO_MANY_REQUESTS: 429,
    1000: 500,
    1002: 403,
    1003: 401,
    1005: 403,
    1006: 403,
    1007: 403,
    1008: 404,
    1009: 403,
    1011: 403,
    1012: 404,
    1013: 403,
    1014: 403,
    1016: 404,
    3000: 403,
}


class ApiError(Exception):
    """An error response of the service, with one of its codes."""

    def __init__(self, code: int, *, retry_after: int | None = None) -> None:
        """Create an error; `retry_after` is the value of the header in seconds, if any."""
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after

    @property
    def text(self) -> str:
        """The text of the service in Russian."""
        return ERROR_TEXTS.get(self.code, ERROR_TEXTS[1000])
