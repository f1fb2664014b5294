/**
 * The SMS card of the GoSMS.ru integration: `type: custom:gosms-card`.
 *
 * One plain module without dependencies. Everything that is shown becomes a text node, never HTML. The list comes from
 * the websocket command `gosms/messages/subscribe`; sending, counting and canceling are the integration's actions.
 */

const DOMAIN = "gosms";
const TYPE = "gosms-card";
const DEFAULTS = { rows: 10, form: true, phones: true };
// The most messages of one subscription, and how many more "Show more" requests.
const MAX_ROWS = 200;
const MORE_ROWS = 50;
// Milliseconds.
const TYPING_PAUSE = 300;
const RETRY_DELAY = 5000;
const CLOCK_INTERVAL = 60000;
const NOTICE_TIME = 15000;
// Numbers of up to so many digits may be emergency services.
const SHORT_NUMBER = 3;
const SHOWN_SYMBOLS = 8;
// The error code of Home Assistant's websocket client if the connection was closed before the response.
const CONNECTION_LOST = 3;
const OTHER_NUMBER = "";

/** What each status looks like: an icon, and which of the theme's colors. */
const LOOKS = {
  queued: ["mdi:tray-full", "warning"],
  waiting: ["mdi:timer-sand", "info"],
  processing: ["mdi:cellphone-cog", "info"],
  sent: ["mdi:check", "info"],
  delivered: ["mdi:check-all", "success"],
  send_failed: ["mdi:alert-circle-outline", "error"],
  delivery_failed: ["mdi:alert-circle-outline", "error"],
  refused: ["mdi:close-circle-outline", "error"],
  expired: ["mdi:timer-off-outline", "error"],
  unconfirmed: ["mdi:help-circle-outline", "warning"],
  cancelled: ["mdi:undo-variant", "neutral"],
};
const UNKNOWN_LOOK = ["mdi:help-circle-outline", "neutral"];

/** Problems during which messages are still sent, or wait. */
const WARNINGS = ["service_unreachable", "phone_out_of_touch", "quota_low", "no_device_permission", "unknown_phone"];

const plural = (language, forms) => {
  const rules = new Intl.PluralRules(language);
  return (count) => `${count} ${forms[rules.select(count)] ?? forms.other}`;
};
const enCharacters = plural("en", { one: "character", other: "characters" });
const ruCharacters = plural("ru", { one: "символ", few: "символа", other: "символов" });
const enParts = plural("en", { one: "message", other: "messages" });
const ruParts = plural("ru", { one: "сообщение", few: "сообщения", other: "сообщений" });

const TEXTS = {
  en: {
    title: "SMS",
    description: "Recent messages with their status, and a form to send.",
    allWell: "All well",
    waiting: (count) => `${count} queued`,
    outage: "GoSMS.ru can't be reached. Messages wait here and are sent when it is available again.",
    openRepair: "Open repair",
    askAdministrator: "For details, ask an administrator: Settings > System > Repairs.",
    loading: "Loading messages…",
    noMessages: "No messages yet",
    notFound: "Messages are not available: the account is not loaded. If there are several accounts, choose one in the settings of this card.",
    unauthorized: "You have no permission to see these messages. An administrator can change that.",
    failed: (reason) => `Messages could not be loaded: ${reason}`,
    to: "To",
    otherNumber: "Another number…",
    number: "Phone number",
    numberHint: "+7 912 345-67-89",
    message: "Message",
    characters: enCharacters,
    segments: (count) => `${count} SMS`,
    parts: (count) => `in ${enParts(count)}`,
    replaced: (symbols) => `Replaced: ${symbols}`,
    removed: (symbols) => `Removed: ${symbols}`,
    send: "Send",
    sending: "Sending…",
    noText: "Write a message first.",
    noNumber: "Enter a phone number first.",
    noRecipient: "Choose a recipient first.",
    accepted: (name) => `GoSMS.ru accepted the message to ${name}.`,
    queued: (name) => `Queued for ${name}. It is sent when GoSMS.ru is available again.`,
    notSent: (reason) => `Not sent. ${reason}`,
    shortNumber: (name) => `${name} may be an emergency number. Send an SMS to it?`,
    mayHaveArrived: "It is unknown whether this message arrived. Send it again?",
    cancel: "Cancel",
    sendAgain: "Send again",
    cancelMessage: "Cancel",
    sendAgainTo: (name) => `Send again to ${name}`,
    cancelMessageTo: (name) => `Cancel the message to ${name}`,
    cancelled: "Canceled.",
    tooLate: "Too late: the message is already on its way.",
    notCancelled: (reason) => `Not canceled. ${reason}`,
    more: "Show more",
    messages: "Messages",
    unknown: "Unknown",
    unknownNumber: "Unknown number",
    seconds: (count) => `${count} s`,
    minutes: (count) => `${count} min`,
    hours: (count) => `${count} h`,
    phoneNumber: "Phone number",
    created: "Created",
    length: "Length",
    attempts: "Attempts",
    id: "ID",
    tag: "Tag",
    partsHeading: "Parts",
    part: (number, count) => `Part ${number} of ${count}`,
    steps: "Progress",
    phones: "Phones",
    online: "Online",
    offline: "Offline",
    onlineUnknown: "Connection unknown",
    lastSeen: (when) => `seen ${when}`,
    charging: "charging",
    battery: "Battery",
    sends: "Sending",
    sendsWith: (name) => `${name} sends SMS`,
    notSwitched: (reason) => `Not switched. ${reason}`,
    left: (left, plan) => `${left} of ${plan} SMS left this month`,
    connectionLost: "The connection to Home Assistant was lost. Select the button again: the message is not sent twice.",
    disconnected: "The connection to Home Assistant was lost. Try again when it is back.",
    mayNot: "You do not have permission.",
    editor: {
      config_entry_id: ["Account", "Required only if there are several."],
      recipient: ["Recipient", "The card shows and sends only messages to this recipient. If not set, it is for all recipients."],
      title: ["Title"],
      rows: ["Messages to show"],
      form: ["Form to send"],
      phones: ["Phones"],
    },
  },
  ru: {
    title: "SMS",
    description: "Последние сообщения с их статусом и форма отправки.",
    allWell: "Всё в порядке",
    waiting: (count) => `В очереди: ${count}`,
    outage: "Нет связи с GoSMS.ru. Сообщения ждут здесь и уйдут, когда связь появится.",
    openRepair: "Устранение проблем",
    askAdministrator: "Подробности узнайте у администратора: «Настройки > Система > Устранение проблем».",
    loading: "Сообщения загружаются…",
    noMessages: "Сообщений пока нет",
    notFound: "Сообщения недоступны: аккаунт не загружен. Если аккаунтов несколько, выберите один в настройках карточки.",
    unauthorized: "У вас нет доступа к этим сообщениям. Его может дать администратор.",
    failed: (reason) => `Не удалось загрузить сообщения: ${reason}`,
    to: "Кому",
    otherNumber: "Другой номер…",
    number: "Номер телефона",
    numberHint: "+7 912 345-67-89",
    message: "Сообщение",
    characters: ruCharacters,
    segments: (count) => `${count} SMS`,
    parts: (count) => ruParts(count),
    replaced: (symbols) => `Заменено: ${symbols}`,
    removed: (symbols) => `Убрано: ${symbols}`,
    send: "Отправить",
    sending: "Отправляется…",
    noText: "Сначала напишите сообщение.",
    noNumber: "Сначала введите номер телефона.",
    noRecipient: "Сначала выберите получателя.",
    accepted: (name) => `GoSMS.ru принял сообщение, получатель: ${name}.`,
    queued: (name) => `Сообщение в очереди, получатель: ${name}. Оно уйдёт, когда появится связь с GoSMS.ru.`,
    notSent: (reason) => `Не отправлено. ${reason}`,
    shortNumber: (name) => `${name}: возможно, это номер экстренной службы. Всё равно отправить SMS?`,
    mayHaveArrived: "Неизвестно, дошло ли это сообщение. Отправить ещё раз?",
    cancel: "Отмена",
    sendAgain: "Отправить ещё раз",
    cancelMessage: "Отозвать",
    sendAgainTo: (name) => `Отправить ещё раз, получатель: ${name}`,
    cancelMessageTo: (name) => `Отозвать сообщение, получатель: ${name}`,
    cancelled: "Отозвано.",
    tooLate: "Поздно: сообщение уже отправляется.",
    notCancelled: (reason) => `Не отозвано. ${reason}`,
    more: "Показать ещё",
    messages: "Сообщения",
    unknown: "Неизвестно",
    unknownNumber: "Неизвестный номер",
    seconds: (count) => `${count} с`,
    minutes: (count) => `${count} мин`,
    hours: (count) => `${count} ч`,
    phoneNumber: "Номер",
    created: "Создано",
    length: "Объём",
    attempts: "Попыток",
    id: "ID",
    tag: "Метка",
    partsHeading: "Части",
    part: (number, count) => `Часть ${number} из ${count}`,
    steps: "Ход отправки",
    phones: "Телефоны",
    online: "На связи",
    offline: "Не на связи",
    onlineUnknown: "Неизвестно, на связи ли",
    lastSeen: (when) => `был на связи ${when}`,
    charging: "заряжается",
    battery: "Заряд батареи",
    sends: "Отправка",
    sendsWith: (name) => `${name} отправляет SMS`,
    notSwitched: (reason) => `Не переключено. ${reason}`,
    left: (left, plan) => `Осталось в этом месяце: ${left} SMS из ${plan}`,
    connectionLost: "Связь с Home Assistant прервалась. Нажмите ту же кнопку ещё раз: дважды сообщение не уйдёт.",
    disconnected: "Связь с Home Assistant прервалась. Попробуйте снова, когда она появится.",
    mayNot: "У вас нет на это прав.",
    editor: {
      config_entry_id: ["Аккаунт", "Нужен, только если их несколько."],
      recipient: ["Получатель", "Карточка показывает только сообщения этому получателю и отправляет только ему. Если не задан, она для всех получателей."],
      title: ["Заголовок"],
      rows: ["Сколько сообщений показывать"],
      form: ["Форма отправки"],
      phones: ["Телефоны"],
    },
  },
};

const textsOf = (hass) => TEXTS[(hass?.locale?.language ?? hass?.language ?? "en").split("-")[0]] ?? TEXTS.en;

const STYLE = `
  :host { display: block; height: 100%; container-type: inline-size; }
  * { box-sizing: border-box; }
  [hidden] { display: none !important; }
  ha-card {
    height: 100%; display: flex; flex-direction: column; overflow: hidden; color: var(--primary-text-color);
    font-size: var(--ha-font-size-m, 14px); line-height: 1.43;
    --success: var(--success-color); --info: var(--info-color); --warning: var(--warning-color);
    --error: var(--error-color); --neutral: var(--secondary-text-color);
  }
  .success { --tone: var(--success); } .info { --tone: var(--info); } .warning { --tone: var(--warning); }
  .error { --tone: var(--error); } .neutral { --tone: var(--neutral); }
  .header { display: flex; align-items: center; gap: 12px; flex-wrap: wrap; padding: 14px 16px 2px; min-height: 48px; }
  h2 { flex: 1; margin: 0; font-size: var(--ha-font-size-xl, 20px); font-weight: var(--ha-font-weight-medium, 500);
    line-height: 1.3; overflow-wrap: anywhere; }
  h3 { margin: 12px 0 4px; font-size: inherit; font-weight: var(--ha-font-weight-medium, 500); }
  .chip { display: inline-flex; align-items: center; gap: 6px; color: var(--secondary-text-color); }
  .chip ha-icon { color: var(--tone); --mdc-icon-size: 20px; }
  .alert { display: flex; flex-wrap: wrap; align-items: center; gap: 0 12px; margin: 8px 16px 4px; padding: 8px 12px;
    min-height: 44px; border-radius: 8px; background: color-mix(in srgb, var(--tone) 14%, transparent); }
  .alert ha-icon { flex: none; color: var(--tone); }
  .alert > div { flex: 1 1 180px; min-width: 0; overflow-wrap: anywhere; }
  a { display: inline-flex; margin-inline-start: auto; align-items: center; min-height: 44px; color: inherit; text-decoration: underline;
    font-weight: var(--ha-font-weight-medium, 500); border-radius: 4px; }
  form { display: grid; grid-template-columns: 1fr; gap: 8px; margin: 0; padding: 8px 16px 12px; }
  .to { display: flex; flex-wrap: wrap; gap: 8px; }
  .field { flex: 1 1 180px; min-width: 0; position: relative; display: block; }
  .field label { position: absolute; inset-inline-start: 13px; top: 6px; font-size: var(--ha-font-size-s, 12px);
    color: var(--secondary-text-color); pointer-events: none; }
  select, input, textarea { width: 100%; min-height: 54px; padding: 24px 12px 6px; font: inherit; color: inherit;
    background-color: color-mix(in srgb, var(--primary-text-color) 5%, transparent);
    border: 1px solid transparent; border-bottom-color: var(--secondary-text-color); border-radius: 8px 8px 4px 4px; }
  select { appearance: none; padding-inline-end: 40px; text-overflow: ellipsis; cursor: pointer; }
  option { background: var(--card-background-color); color: var(--primary-text-color); }
  .field .arrow { position: absolute; inset-inline-end: 10px; top: 15px; pointer-events: none;
    color: var(--secondary-text-color); }
  textarea { display: block; min-height: 88px; max-height: 40vh; resize: vertical; line-height: 1.4; }
  ::placeholder { color: var(--secondary-text-color); opacity: 1; }
  .field:has(textarea)::before { content: ""; position: absolute; z-index: 1; inset: 2px 14px auto 2px; height: 21px;
    border-radius: 8px; background: linear-gradient(color-mix(in srgb, var(--primary-text-color) 5%, transparent),
    color-mix(in srgb, var(--primary-text-color) 5%, transparent)), var(--card-background-color); }
  .field:has(textarea) label { z-index: 2; }
  .notice .alert { margin-bottom: 12px; }
  .bottom { display: flex; align-items: center; justify-content: flex-end; flex-wrap: wrap; gap: 4px 12px; }
  .count { flex: 1 1 150px; min-width: 0; color: var(--secondary-text-color); overflow-wrap: anywhere; }
  .count .bad { color: var(--primary-text-color); }
  button { font: inherit; color: inherit; cursor: pointer; }
  .button { display: inline-flex; align-items: center; justify-content: center; gap: 8px; min-height: 44px;
    min-width: 44px; padding: 8px 16px; border: 0; border-radius: 22px;
    font-weight: var(--ha-font-weight-medium, 500); background: transparent; }
  .button ha-icon { --mdc-icon-size: 20px; color: var(--primary-color); }
  .filled { background: color-mix(in srgb, var(--primary-color) 20%, transparent); padding-inline: 20px; }
  .button:hover { background: color-mix(in srgb, var(--primary-color) 12%, transparent); }
  .filled:hover { background: color-mix(in srgb, var(--primary-color) 30%, transparent); }
  .button[aria-disabled="true"] { cursor: default; color: var(--secondary-text-color); }
  :is(button, a, select, input, textarea):focus-visible { outline: 2px solid var(--primary-color); outline-offset: -2px; }
  .body { flex: 1 1 auto; min-height: 0; overflow: auto; }
  .empty { padding: 16px; color: var(--secondary-text-color); }
  ul, ol { margin: 0; padding: 0; list-style: none; }
  ul.messages { border-top: 1px solid var(--divider-color); }
  ul.messages > li + li { border-top: 1px solid var(--divider-color); }
  .row { display: grid; grid-template-columns: 40px 1fr auto; column-gap: 12px; width: 100%; min-height: 60px;
    padding: 10px 16px; border: 0; background: none; text-align: start; align-items: start; }
  .row:hover { background: color-mix(in srgb, var(--primary-text-color) 4%, transparent); }
  .badge { grid-row: span 3; display: grid; place-items: center; width: 40px; height: 40px; border-radius: 50%;
    color: var(--tone); background: color-mix(in srgb, var(--tone) 18%, transparent); }
  .name { font-weight: var(--ha-font-weight-medium, 500); overflow-wrap: anywhere; min-width: 0; }
  .time { color: var(--secondary-text-color); white-space: nowrap; }
  .text { grid-column: 2 / -1; overflow: hidden; display: -webkit-box; -webkit-box-orient: vertical;
    -webkit-line-clamp: 2; overflow-wrap: anywhere; }
  [aria-expanded="true"] .text { display: block; white-space: pre-wrap; }
  .status { grid-column: 2 / -1; color: var(--secondary-text-color); overflow-wrap: anywhere; }
  .status b { font-weight: var(--ha-font-weight-medium, 500); color: var(--primary-text-color); }
  .head { position: relative; }
  .actions { display: flex; flex-wrap: wrap; padding: 0 16px 4px 52px; margin-top: -8px; }
  .details { padding: 0 16px 14px 68px; overflow-wrap: anywhere; }
  .details h3:first-child { margin-top: 0; }
  dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 0; }
  dt { color: var(--secondary-text-color); } dd { margin: 0; min-width: 0; }
  .parts li { margin-top: 4px; } .parts .text { white-space: pre-wrap; display: block; }
  .minor { color: var(--secondary-text-color); }
  .steps li { display: grid; grid-template-columns: 1fr auto; gap: 12px; padding: 2px 0; }
  .more { display: flex; justify-content: center; border-top: 1px solid var(--divider-color); padding: 2px; }
  .footer { border-top: 1px solid var(--divider-color); padding: 6px 16px; }
  .phone { display: flex; align-items: center; flex-wrap: wrap; gap: 4px 12px; min-height: 52px; }
  .phone .badge { flex: none; }
  .phone > div { flex: 1 1 120px; min-width: 0; }
  .facts { display: flex; flex-wrap: wrap; gap: 0 12px; color: var(--secondary-text-color); }
  .facts span { display: inline-flex; align-items: center; gap: 4px; }
  .facts ha-icon { --mdc-icon-size: 16px; color: var(--tone); }
  .switch { display: inline-flex; align-items: center; gap: 10px; min-height: 44px; padding: 0 4px; border: 0;
    background: none; border-radius: 8px; }
  .track { position: relative; width: 40px; height: 24px; border-radius: 12px;
    border: 2px solid var(--secondary-text-color); }
  .track::after { content: ""; position: absolute; top: 4px; inset-inline-start: 4px; width: 12px; height: 12px;
    border-radius: 50%; background: var(--secondary-text-color); }
  [aria-checked="true"] .track { border-color: var(--primary-color); background: var(--primary-color); }
  [aria-checked="true"] .track::after { inset-inline-start: 18px; top: 2px; width: 16px; height: 16px;
    background: var(--card-background-color); }
  .plan { padding: 6px 0; color: var(--secondary-text-color); }
  .bar { height: 4px; margin-top: 4px; border-radius: 2px; overflow: hidden;
    background: color-mix(in srgb, var(--tone) 22%, transparent); }
  .bar i { display: block; height: 100%; border-radius: 2px; background: var(--tone); }
  dialog { max-width: min(360px, calc(100vw - 32px)); padding: 20px; border: 0; border-radius: 16px;
    color: var(--primary-text-color); background: var(--card-background-color);
    box-shadow: 0 8px 32px var(--shadow-color, color-mix(in srgb, var(--primary-text-color) 40%, transparent)); }
  dialog::backdrop { background: color-mix(in srgb, var(--primary-background-color) 60%, transparent); }
  dialog p { margin: 0 0 16px; overflow-wrap: anywhere; }
  dialog div { display: flex; justify-content: flex-end; flex-wrap: wrap; gap: 8px; }
  .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  @media (prefers-reduced-motion: no-preference) {
    .track, .track::after, .button { transition: all 150ms; }
  }
  @container (min-width: 760px) {
    ha-card.two { display: grid; grid-template: repeat(4, auto) 1fr / minmax(300px, 2fr) 3fr; }
    .two > :not(.body) { grid-column: 1; }
    .two > .body { grid-column: 2; grid-row: 1 / -1; border-inline-start: 1px solid var(--divider-color); }
    .two ul.messages { border-top: 0; }
    .two .footer { align-self: end; }
  }
  @container (max-width: 330px) { .details { padding-inline-start: 16px; } }
  @container (min-width: 400px) {
    .actions { position: absolute; inset-inline-end: 2px; bottom: -2px; padding: 0; margin: 0; }
    .actions .button { padding-inline: 14px; }
    .head:has(.actions) .status { padding-inline-end: 170px; }
  }
`;

const isGiven = (value) => value !== undefined && value !== null && value !== false;

/** Return a new element. Properties that begin with `on` are listeners, the others attributes; strings become text. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (isGiven(value)) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(isGiven));
  return element;
}

const icon = (name) => h("ha-icon", { icon: name, "aria-hidden": "true" });

/** Return a random key. `crypto.randomUUID` exists only on secure pages, and many homes use plain HTTP. */
const randomKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Texts that were not sent yet, by card. They are kept here, since a card is created again when its view is opened. */
const drafts = new Map();

class GoSmsCard extends HTMLElement {
  #config = { ...DEFAULTS };
  #hass;
  #texts = TEXTS.en;
  #language;

  #connection;
  #subscription = 0;
  #unsubscribe;
  #isFresh = true;
  #retry;
  #notice;
  #clock;

  #rows = new Map();
  #account;
  #hasMore = false;
  #limit = DEFAULTS.rows;
  #error;

  #elements;
  #items = new Map();
  #open = new Set();
  #shownStates = [];
  #recipients = "";

  #typing;
  #previewed = { text: "" };
  #previews = 0;
  #isSending = false;
  #attempt;

  static getConfigForm() {
    const texts = textsOf(document.querySelector("home-assistant")?.hass).editor;
    return {
      schema: [
        { name: "config_entry_id", selector: { config_entry: { integration: DOMAIN } } },
        { name: "recipient", selector: { entity: { filter: { integration: DOMAIN, domain: "notify" } } } },
        { name: "title", selector: { text: {} } },
        { name: "rows", default: DEFAULTS.rows, selector: { number: { min: 1, max: MAX_ROWS, mode: "box" } } },
        { name: "form", default: DEFAULTS.form, selector: { boolean: {} } },
        { name: "phones", default: DEFAULTS.phones, selector: { boolean: {} } },
      ],
      computeLabel: ({ name }) => texts[name]?.[0] ?? name,
      computeHelper: ({ name }) => texts[name]?.[1],
    };
  }

  static getStubConfig(hass) {
    const [entryId, other] = new Set(ownDevices(hass).map((device) => device.primary_config_entry));
    return other ? { config_entry_id: entryId } : {};
  }

  getGridOptions() {
    return { columns: 12, min_columns: 6, rows: "auto", min_rows: 3 };
  }

  getCardSize() {
    return 2 + (this.#config.form ? 4 : 0) + Math.min(this.#rows.size, this.#config.rows) * 2;
  }

  setConfig(config) {
    const rows = Number(config.rows ?? DEFAULTS.rows);
    if (!Number.isInteger(rows) || rows < 1 || rows > MAX_ROWS) throw new Error(`rows: 1–${MAX_ROWS}`);
    const before = this.#config;
    this.#config = { ...DEFAULTS, ...config, rows };
    this.#limit = rows;
    this.#elements = undefined;
    if (before.config_entry_id !== config.config_entry_id) {
      this.#rows.clear();
      this.#account = undefined;
    }
    if (this.isConnected && this.#hass) {
      this.#subscribe();
      this.#render();
    }
  }

  set hass(hass) {
    const first = !this.#hass;
    this.#hass = hass;
    if (this.#language !== hass.language) {
      this.#language = hass.language;
      this.#texts = textsOf(hass);
      this.#elements = undefined;
      if (!first && this.isConnected) this.#subscribe();
    }
    if (!this.isConnected) return;
    if (this.#connection !== hass.connection) this.#subscribe();
    if (!this.#elements) this.#render();
    else if (this.#statesChanged()) this.#renderPhones();
  }

  connectedCallback() {
    this.#clock = setInterval(() => this.#renderTimes(), CLOCK_INTERVAL);
    if (!this.#hass) return;
    this.#subscribe();
    this.#render();
  }

  disconnectedCallback() {
    clearInterval(this.#clock);
    clearTimeout(this.#typing);
    clearTimeout(this.#notice);
    this.#end();
  }

  // The feed

  #end() {
    this.#subscription += 1;
    clearTimeout(this.#retry);
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#connection?.removeEventListener("ready", this.#onReconnect);
    this.#connection = undefined;
  }

  // The client subscribes again by itself, and the next event contains everything.
  #onReconnect = () => {
    this.#isFresh = true;
  };

  async #subscribe() {
    this.#end();
    const subscription = this.#subscription;
    const isCurrent = () => subscription === this.#subscription;
    const connection = (this.#connection = this.#hass.connection);
    connection.addEventListener("ready", this.#onReconnect);
    this.#isFresh = true;
    try {
      const unsubscribe = await connection.subscribeMessage((event) => isCurrent() && this.#receive(event), {
        type: `${DOMAIN}/messages/subscribe`,
        limit: this.#config.recipient ? MAX_ROWS : this.#limit,
        language: this.#hass.language,
        // Without an account in the settings it is the only one, even if that was removed and added again.
        ...(this.#config.config_entry_id ? { config_entry_id: this.#config.config_entry_id } : {}),
      });
      // The service may be gone already when the subscription ends.
      const end = () => Promise.resolve(unsubscribe()).catch(() => undefined);
      if (isCurrent()) this.#unsubscribe = end;
      else end();
    } catch (error) {
      if (!isCurrent()) return;
      this.#error = error ?? {};
      this.#retry = setTimeout(() => this.#subscribe(), RETRY_DELAY);
      this.#render();
    }
  }

  #receive(event) {
    this.#error = undefined;
    const isFirst = this.#isFresh;
    this.#isFresh = false;
    const before = new Map(this.#rows);
    if (isFirst) this.#rows.clear();
    this.#hasMore = event.has_more ?? this.#hasMore;
    for (const key of event.removed ?? []) this.#rows.delete(key);
    for (const row of event.messages ?? []) this.#rows.set(row.key, row);
    const news = (event.messages ?? []).filter((row) => before.get(row.key)?.status !== row.status);
    if (!isFirst) this.#announce(news.map((row) => `${this.#nameOf(row)}: ${this.#statusOf(row)}`).join(". "));
    if (event.account) this.#account = event.account;
    clearTimeout(this.#retry);
    // Either the service can't be reached, or the account is not loaded. Only a new subscription shows which.
    if (!isFirst && event.account?.available === false) this.#retry = setTimeout(() => this.#subscribe(), RETRY_DELAY);
    this.#render();
  }

  #entry() {
    const id = this.#config.config_entry_id ?? this.#account?.config_entry_id;
    return id ? { config_entry_id: id } : {};
  }

  // What is shown

  #nameOf(row) {
    return row.recipient ?? this.#numberOf(row) ?? this.#texts.unknownNumber;
  }

  #numberOf({ phone_number: number }) {
    if (!number) return null;
    return number.length > 6 ? `+${number}` : number;
  }

  #statusOf(row) {
    return row.status_text ?? this.#texts.unknown;
  }

  #shownRecipient() {
    const entityId = this.#config.recipient;
    const device = this.#hass.devices?.[this.#hass.entities?.[entityId]?.device_id];
    const recipient = this.#account?.recipients.find((each) => each.entity_id === entityId);
    return { id: recipient?.id, name: device?.name_by_user ?? device?.name ?? null };
  }

  #sorted() {
    let rows = [...this.#rows.values()];
    if (this.#config.recipient) {
      const { id, name } = this.#shownRecipient();
      rows = rows.filter((row) => (id ? row.recipient_id === id : name !== null && row.recipient === name));
    }
    const order = (a, b) => (a === b ? 0 : a < b ? 1 : -1);
    return rows.sort((a, b) => order(Date.parse(a.created), Date.parse(b.created)) || order(a.key, b.key));
  }

  #sendableRecipients() {
    const recipients = this.#account?.recipients ?? [];
    const only = this.#config.recipient;
    return only ? recipients.filter((each) => each.entity_id === only) : recipients;
  }

  #maySendNumbers() {
    return Boolean(this.#account?.may_send_numbers && !this.#config.recipient);
  }

  /** Return a formatter for times in the user's language, time zone and clock. */
  #formatter(options) {
    const { locale, config, language } = this.#hass;
    const clock = { 12: true, 24: false }[locale?.time_format];
    const languages = locale?.time_format === "system" ? undefined : language;
    return new Intl.DateTimeFormat(languages, {
      ...options,
      ...(clock === undefined ? {} : { hour12: clock }),
      ...(locale?.time_zone === "server" ? { timeZone: config.time_zone } : {}),
    });
  }

  #time(iso, seconds = false) {
    if (!iso) return "";
    const time = new Date(iso);
    const day = this.#formatter({ year: "numeric", month: "numeric", day: "numeric" });
    const today = day.format(time) === day.format(new Date());
    const { hour12 } = this.#formatter({ hour: "numeric" }).resolvedOptions();
    return this.#formatter({
      hour: hour12 ? "numeric" : "2-digit",
      minute: "2-digit",
      ...(seconds ? { second: "2-digit" } : {}),
      ...(today ? {} : { day: "numeric", month: "short" }),
    }).format(time);
  }

  #duration({ created, finished }) {
    const seconds = Math.round((Date.parse(finished) - Date.parse(created)) / 1000);
    if (!(seconds >= 0)) return null;
    if (seconds < 100) return this.#texts.seconds(seconds);
    const minutes = Math.round(seconds / 60);
    return minutes < 100 ? this.#texts.minutes(minutes) : this.#texts.hours(Math.round(minutes / 60));
  }

  #ago(iso) {
    const minutes = Math.round((Date.parse(iso) - Date.now()) / 60000);
    const format = new Intl.RelativeTimeFormat(this.#language, { numeric: "auto" });
    if (minutes > -100) return format.format(minutes, "minute");
    return minutes > -2880 ? format.format(Math.round(minutes / 60), "hour") : format.format(Math.round(minutes / 1440), "day");
  }

  // Drawing

  #build() {
    const t = this.#texts;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    this.#items.clear();
    this.#recipients = "";
    const draft = this.#draft();
    const e = (this.#elements = {
      chip: h("span", { class: "chip" }),
      alerts: h("div", { role: "status" }),
      recipient: h("select", { id: "recipient", onchange: () => this.#recipientChanged() }),
      number: h("input", {
        id: "number", type: "tel", autocomplete: "off", placeholder: t.numberHint, oninput: () => this.#keepDraft(),
      }),
      text: h("textarea", { id: "text", rows: "2", dir: "auto", oninput: () => this.#typed() }),
      count: h("div", { class: "count", id: "count" }),
      send: h("button", { class: "button filled", type: "submit" }, icon("mdi:send"), h("span", {}, t.send)),
      notice: h("div", { class: "notice", role: "status" }),
      list: h("ul", { class: "messages", role: "list", "aria-label": t.messages }),
      empty: h("div", { class: "empty" }),
      more: h("button", { class: "button", type: "button", onclick: () => this.#showMore() }, t.more),
      footer: h("div", { class: "footer", role: "group", "aria-label": t.phones }),
      question: h("p", { id: "question" }),
      confirm: h("button", { class: "button filled", type: "submit", value: "yes" }),
      live: h("div", { class: "hidden", "aria-live": "polite" }),
    });
    e.text.value = draft.text;
    e.number.value = draft.number;
    e.text.setAttribute("aria-describedby", "count");
    e.recipientField = h("div", { class: "field" }, h("label", { for: "recipient" }, t.to), e.recipient,
      h("ha-icon", { class: "arrow", icon: "mdi:menu-down", "aria-hidden": "true" }));
    e.numberField = h("div", { class: "field" }, h("label", { for: "number" }, t.number), e.number);
    e.form = h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); this.#send(); } },
      h("div", { class: "to" }, e.recipientField, e.numberField),
      h("div", { class: "field" }, h("label", { for: "text" }, t.message), e.text),
      h("div", { class: "bottom" }, e.count, e.send));
    e.dialog = h("dialog", { "aria-labelledby": "question" },
      h("form", { method: "dialog", style: "padding: 0" }, e.question,
        h("div", {}, h("button", { class: "button", type: "submit", value: "no" }, t.cancel), e.confirm)));
    e.moreRow = h("div", { class: "more" }, e.more);
    const title = this.#config.title ?? t.title;
    e.card = h("ha-card", {}, h("div", { class: "header" }, title ? h("h2", {}, title) : null, e.chip), e.alerts, e.form, e.notice,
      h("div", { class: "body" }, e.list, e.empty, e.moreRow), e.footer, e.dialog, e.live);
    root.replaceChildren(h("style", {}, STYLE), e.card);
    if (draft.text) this.#typed();
  }

  #render() {
    if (!this.isConnected || !this.#hass) return;
    if (!this.#elements) this.#build();
    this.#renderAccount();
    this.#renderForm();
    this.#renderList();
    this.#renderPhones();
  }

  /** Draw what depends on the time of day. */
  #renderTimes() {
    if (!this.#elements) return;
    this.#renderList();
    this.#renderPhones();
  }

  #renderAccount() {
    const { chip, alerts } = this.#elements;
    const t = this.#texts;
    const account = this.#account;
    const waiting = account?.waiting ?? 0;
    const isWell = account?.available && !account.problem && !this.#error;
    fill(chip, isWell && !waiting && [h("span", { class: "success chip" }, icon("mdi:check-circle"), t.allWell)],
      waiting > 0 && [h("span", { class: "warning chip" }, icon("mdi:tray-full"), t.waiting(waiting))]);
    const shown = [];
    if (this.#error) shown.push(alert("error", this.#errorText()));
    const problem = account?.problem;
    const isWarning = WARNINGS.includes(problem?.reason);
    if (problem) {
      const link = problem.issue_id && this.#hass.user?.is_admin
        ? h("a", { href: "/config/repairs", onclick: navigate }, t.openRepair)
        : h("div", { class: "minor" }, t.askAdministrator);
      shown.push(alert(isWarning ? "warning" : "error", problem.text, link));
    }
    if (account && !account.available && (!problem || isWarning)) shown.push(alert("warning", t.outage));
    fill(alerts, shown);
  }

  #errorText() {
    const { code, message } = this.#error;
    if (code === "unauthorized") return this.#texts.unauthorized;
    if (code === "not_found" || code === "unknown_command") return this.#texts.notFound;
    return this.#texts.failed(message ?? code ?? "");
  }

  #renderForm() {
    const { card, form, recipient, recipientField, numberField } = this.#elements;
    const t = this.#texts;
    const recipients = this.#sendableRecipients();
    const numbers = this.#maySendNumbers();
    form.hidden = !this.#config.form || !(recipients.length || numbers);
    card.classList.toggle("two", !form.hidden);
    const options = JSON.stringify([recipients, numbers]);
    if (options !== this.#recipients) {
      this.#recipients = options;
      recipient.replaceChildren(
        ...recipients.map(({ name, entity_id: entityId }) => h("option", { value: entityId }, name)),
        ...(numbers ? [h("option", { value: OTHER_NUMBER }, t.otherNumber)] : []),
      );
      // If the chosen recipient is gone, none is chosen: the text must not go to another person.
      const { recipient: chosen } = this.#draft();
      const values = [...recipient.options].map((option) => option.value);
      recipient.selectedIndex = chosen === undefined ? 0 : values.indexOf(chosen);
    }
    recipientField.hidden = !recipients.length;
    numberField.hidden = recipient.selectedOptions[0]?.value !== OTHER_NUMBER;
  }

  #renderList() {
    const { list, empty, moreRow } = this.#elements;
    const all = this.#sorted();
    const rows = all.slice(0, this.#limit);
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, item] of this.#items) {
      if (keys.has(key)) continue;
      item.element.remove();
      this.#items.delete(key);
    }
    const today = new Date().toDateString();
    rows.forEach((row, index) => {
      let item = this.#items.get(row.key);
      if (!item) this.#items.set(row.key, (item = { element: h("li"), shown: undefined }));
      const state = JSON.stringify([row, this.#open.has(row.key), today]);
      if (item.shown !== state) {
        item.shown = state;
        this.#renderRow(item.element, row);
      }
      if (list.children[index] !== item.element) list.insertBefore(item.element, list.children[index] ?? null);
    });
    list.hidden = !rows.length;
    empty.hidden = rows.length > 0 || Boolean(this.#error && !this.#account);
    empty.textContent = this.#account ? this.#texts.noMessages : this.#texts.loading;
    moreRow.hidden = !(all.length > rows.length || (this.#hasMore && this.#limit < MAX_ROWS && !this.#config.recipient));
  }

  #renderRow(item, row) {
    const t = this.#texts;
    const focused = item.contains(this.shadowRoot.activeElement) ? this.shadowRoot.activeElement.dataset.role : null;
    const [iconName, tone] = LOOKS[row.status] ?? UNKNOWN_LOOK;
    const isOpen = this.#open.has(row.key);
    const name = this.#nameOf(row);
    const duration = row.status === "delivered" ? this.#duration(row) : null;
    const notes = [duration, row.error_text].filter(Boolean);
    const toggle = h("button", {
      class: "row", type: "button", "data-role": "toggle", "aria-expanded": String(isOpen),
      onclick: () => this.#toggle(row.key),
    },
      h("span", { class: `badge ${tone}` }, icon(iconName)),
      h("span", { class: "name", dir: "auto" }, name),
      h("time", { class: "time", datetime: row.created }, this.#time(row.created)),
      h("span", { class: "text", dir: "auto" }, row.message ?? ""),
      h("span", { class: "status" }, h("b", {}, this.#statusOf(row)), notes.map((note) => ` · ${note}`)),
    );
    const actions = h("div", { class: "actions" },
      row.can_resend && this.#config.form && h("button", {
        class: "button", type: "button", "data-role": "resend", "aria-label": t.sendAgainTo(name),
        onclick: (event) => this.#resend(row, event.currentTarget),
      }, icon("mdi:send"), t.sendAgain),
      row.can_cancel && h("button", {
        class: "button", type: "button", "data-role": "cancel", "aria-label": t.cancelMessageTo(name),
        onclick: (event) => this.#cancel(row, event.currentTarget),
      }, icon("mdi:undo-variant"), t.cancelMessage),
    );
    const head = h("div", { class: "head" }, toggle, actions.childElementCount > 0 && actions);
    item.replaceChildren(head, ...(isOpen ? [this.#details(row)] : []));
    if (focused) (item.querySelector(`[data-role="${focused}"]`) ?? toggle).focus();
  }

  #details(row) {
    const t = this.#texts;
    const parts = row.parts ?? [];
    const facts = [
      [t.phoneNumber, row.recipient ? this.#numberOf(row) : null],
      [t.created, this.#time(row.created, true)],
      [t.length, row.segments && t.segments(row.segments)],
      [t.attempts, row.attempts > 1 && String(row.attempts)],
      [t.tag, row.tag],
      [t.id, parts.length === 1 && parts[0].id],
    ].filter(([, value]) => value);
    const section = (heading, list) => (list.childElementCount ? [h("h3", {}, heading), list] : []);
    return h("div", { class: "details" },
      h("dl", {}, facts.map(([label, value]) => [h("dt", {}, label), h("dd", { dir: "auto" }, value)])),
      section(t.partsHeading, h("ol", { class: "parts" }, parts.length > 1 && parts.map((part, index) => h("li", {},
        h("div", {}, h("b", {}, part.status_text ?? t.unknown), ` · ${t.part(index + 1, parts.length)}`),
        h("div", { class: "text", dir: "auto" }, part.text ?? ""),
        part.id && h("div", { class: "minor" }, part.id))))),
      section(t.steps, h("ol", { class: "steps" }, (row.steps ?? []).map((step) => h("li", {},
        h("span", {}, step.text), h("time", { class: "minor", datetime: step.time }, this.#time(step.time, true)))))));
  }

  #renderPhones() {
    const { footer } = this.#elements;
    const phones = this.#config.phones ? this.#account?.phones ?? [] : [];
    const plan = this.#config.phones && this.#account?.segments ? this.#plan(this.#account.segments) : null;
    this.#statesChanged();
    const focused = footer.contains(this.shadowRoot.activeElement) ? this.shadowRoot.activeElement.dataset.role : null;
    fill(footer, phones.map((phone) => this.#phone(phone)), plan);
    footer.hidden = !footer.childElementCount;
    if (focused) footer.querySelector(`[data-role="${CSS.escape(focused)}"]`)?.focus();
  }

  #phone(phone) {
    const t = this.#texts;
    const state = (key) => (phone[key] ? this.#hass.states[phone[key]] : undefined);
    const online = { on: true, off: false }[state("online")?.state];
    const battery = state("battery");
    const level = Number(battery?.state);
    const isCharging = state("charging")?.state === "on";
    const seen = Date.parse(state("last_seen")?.state);
    const isOn = { on: true, off: false }[state("sending")?.state];
    const tone = online === undefined ? "neutral" : online ? "success" : "warning";
    const step = Math.floor(level / 10) * 10;
    const batteryIcon = step < 10 ? "mdi:battery-alert" : step >= 100 ? "mdi:battery" : `mdi:battery-${step}`;
    return h("div", { class: "phone" },
      h("span", { class: `badge ${tone}` }, icon(online === false ? "mdi:cellphone-off" : "mdi:cellphone")),
      h("div", {},
        h("div", { class: "name" }, phone.name),
        h("div", { class: "facts" },
          h("span", {}, online === undefined ? t.onlineUnknown : online ? t.online : t.offline,
            Number.isFinite(seen) && `, ${t.lastSeen(this.#ago(seen))}`),
          Number.isFinite(level) && h("span", { class: level <= 20 && !isCharging ? "error" : "neutral" },
            icon(isCharging ? "mdi:battery-charging" : batteryIcon),
            h("span", { class: "hidden" }, t.battery), this.#hass.formatEntityState(battery), isCharging && `, ${t.charging}`))),
      isOn !== undefined && h("button", {
        class: "switch", type: "button", role: "switch", "data-role": phone.sending, "aria-checked": String(isOn),
        "aria-label": t.sendsWith(phone.name), onclick: () => this.#switch(phone.sending, !isOn),
      }, h("span", { "aria-hidden": "true" }, t.sends), h("span", { class: "track" })));
  }

  #plan({ used, plan, left }) {
    if (!plan) return null;
    const remaining = left ?? Math.max(plan - used, 0);
    const share = Math.min(remaining / plan, 1);
    return h("div", { class: `plan ${share > 0.1 ? "success" : "error"}` }, this.#texts.left(remaining, plan),
      h("div", { class: "bar", "aria-hidden": "true" }, h("i", { style: `width: ${share * 100}%` })));
  }

  /** Return whether a state that is shown has changed since the last call. */
  #statesChanged() {
    const ids = (this.#account?.phones ?? []).flatMap((phone) =>
      ["battery", "online", "charging", "sending", "last_seen"].map((key) => phone[key]));
    const states = ids.map((id) => this.#hass.states[id]);
    const changed = states.length !== this.#shownStates.length || states.some((state, i) => state !== this.#shownStates[i]);
    this.#shownStates = states;
    return changed;
  }

  #announce(text) {
    if (text && this.#elements) this.#elements.live.textContent = text;
  }

  /** Show the result of something that the user did. Without a text, or after a time if it is brief, nothing is shown. */
  #notify(tone, text, isBrief = false) {
    clearTimeout(this.#notice);
    fill(this.#elements.notice, text ? [alert(tone, text)] : []);
    if (isBrief) this.#notice = setTimeout(() => this.#notify(), NOTICE_TIME);
  }

  // What the user does

  #toggle(key) {
    if (!this.#open.delete(key)) this.#open.add(key);
    this.#renderList();
  }

  #showMore() {
    this.#limit = Math.min(this.#limit + MORE_ROWS, MAX_ROWS);
    if (this.#config.recipient) this.#renderList();
    else this.#subscribe();
  }

  #draftKey() {
    return `${this.#config.config_entry_id ?? ""} ${this.#config.recipient ?? ""}`;
  }

  #draft() {
    return drafts.get(this.#draftKey()) ?? { text: "", number: "", recipient: undefined };
  }

  #keepDraft() {
    const { text, number, recipient } = this.#elements;
    const chosen = recipient.selectedOptions[0]?.value ?? this.#draft().recipient;
    drafts.set(this.#draftKey(), { text: text.value, number: number.value, recipient: chosen });
  }

  #recipientChanged() {
    this.#keepDraft();
    this.#renderForm();
    const { numberField, number } = this.#elements;
    if (!numberField.hidden) number.focus();
  }

  #typed() {
    const { text } = this.#elements;
    this.#keepDraft();
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight + 2}px`;
    clearTimeout(this.#typing);
    if (text.value.trim()) this.#typing = setTimeout(() => this.#preview(), TYPING_PAUSE);
    else this.#previewed = { text: text.value };
    this.#renderCount();
  }

  async #preview() {
    const message = this.#elements.text.value;
    const number = (this.#previews += 1);
    let found;
    try {
      found = await this.#call("preview", { message });
    } catch (error) {
      found = { error: await this.#reason(error) };
    }
    if (number !== this.#previews || message !== this.#elements?.text.value) return;
    this.#previewed = { ...found, text: message };
    this.#renderCount();
  }

  #renderCount() {
    const { count, text } = this.#elements;
    const t = this.#texts;
    const { segments, parts, replaced = {}, error } = this.#previewed;
    if (!text.value) return fill(count);
    const words = [t.characters([...text.value].length)];
    if (text.value.trim()) {
      if (segments) words.push(t.segments(segments));
      if (parts?.length > 1) words.push(t.parts(parts.length));
    }
    const some = (symbols, separator) =>
      symbols.slice(0, SHOWN_SYMBOLS).join(separator) + (symbols.length > SHOWN_SYMBOLS ? "…" : "");
    const changes = Object.entries(replaced);
    const swapped = changes.filter(([, to]) => to).map(([from, to]) => `${from} → ${to}`);
    const removed = changes.filter(([, to]) => !to).map(([from]) => from);
    fill(count, h("div", {}, words.join(" · ")), swapped.length > 0 && h("div", {}, t.replaced(some(swapped, ", "))),
      removed.length > 0 && h("div", {}, t.removed(some(removed, " "))), error && h("div", { class: "bad" }, error));
  }

  /** Call an action of the integration and return its response. */
  async #call(action, data, target) {
    const result = await this.#hass.callService(DOMAIN, action, { ...this.#entry(), ...data }, target, false, true);
    return result?.response ?? {};
  }

  /** Return the reason of a failed call as a text. */
  async #reason(error) {
    if (isConnectionLoss(error)) return this.#texts.disconnected;
    if (error?.code === "unauthorized") return this.#texts.mayNot;
    const { translation_key: key, translation_domain: domain, translation_placeholders: placeholders } = error ?? {};
    if (key && domain) {
      const localize = await this.#hass.loadBackendTranslation("exceptions", domain);
      const text = localize?.(`component.${domain}.exceptions.${key}.message`, placeholders ?? undefined);
      if (text) return text;
    }
    return error?.message ?? String(error?.code ?? error ?? "");
  }

  async #send() {
    const { text, number, recipient } = this.#elements;
    if (this.#isSending) return;
    const t = this.#texts;
    const message = text.value;
    const entityId = recipient.value;
    const typed = number.value.trim();
    if (!message.trim()) return this.#refuse(t.noText, text);
    if (recipient.selectedIndex < 0) return this.#refuse(t.noRecipient, recipient);
    if (!entityId && !typed) return this.#refuse(t.noNumber, number);
    const name = entityId ? recipient.selectedOptions[0].textContent : typed;
    const known = this.#account.recipients.find((each) => each.entity_id === entityId);
    if (!(await this.#mayBeSent(known ? known.is_short : isShort(typed), name))) return;
    const sent = await this.#deliver(message, entityId ? { entityId } : { number: typed }, name);
    if (sent && text.value === message) {
      text.value = "";
      if (!entityId) number.value = "";
      this.#typed();
    }
  }

  #refuse(reason, field) {
    this.#notify("warning", reason);
    field.focus();
  }

  async #resend(row, button) {
    if (this.#isSending) return;
    const name = this.#nameOf(row);
    const known = this.#account.recipients.find((each) => each.id === row.recipient_id);
    if (row.status === "unconfirmed" && !(await this.#ask(this.#texts.mayHaveArrived, this.#texts.sendAgain))) return;
    // The recipient may have got another number since.
    if (!(await this.#mayBeSent(known ? known.is_short : isShort(row.phone_number ?? ""), name))) return;
    button.setAttribute("aria-disabled", "true");
    const to = known ? { entityId: known.entity_id } : { number: this.#numberOf(row) };
    await this.#deliver(row.message, to, name, row.tag);
    button.removeAttribute("aria-disabled");
  }

  /** Send a message, show the result, and return whether it was accepted. */
  async #deliver(message, { entityId, number }, name, tag) {
    const t = this.#texts;
    const what = JSON.stringify([message, entityId, number]);
    // If the connection breaks before the answer, the same key keeps the next attempt from sending it twice.
    if (this.#attempt?.what !== what) this.#attempt = { what, key: randomKey() };
    this.#setSending(true);
    this.#notify();
    try {
      const data = { message, idempotency_key: this.#attempt.key, ...(tag ? { tag } : {}) };
      const call = entityId
        ? this.#call("send_sms", data, { entity_id: entityId })
        : this.#call("send_sms", { ...data, phone_numbers: [number] });
      const { messages: [result] = [] } = await call;
      this.#attempt = undefined;
      if (result?.error) {
        this.#notify("error", t.notSent(result.error.message));
        return false;
      }
      this.#notify(result?.queued ? "warning" : "success", result?.queued ? t.queued(name) : t.accepted(name), true);
      return true;
    } catch (error) {
      if (isConnectionLoss(error)) this.#notify("warning", t.connectionLost);
      else {
        this.#attempt = undefined;
        this.#notify("error", t.notSent(await this.#reason(error)));
      }
      return false;
    } finally {
      this.#setSending(false);
    }
  }

  #setSending(isSending) {
    this.#isSending = isSending;
    const { send } = this.#elements;
    send.setAttribute("aria-disabled", String(isSending));
    send.lastElementChild.textContent = isSending ? this.#texts.sending : this.#texts.send;
  }

  async #cancel(row, button) {
    const t = this.#texts;
    button.setAttribute("aria-disabled", "true");
    try {
      const response = await this.#call("cancel_messages", { keys: [row.key] });
      this.#notify(response.cancelled ? "success" : "warning", response.cancelled ? t.cancelled : t.tooLate, true);
    } catch (error) {
      await this.#notifyFailure(error, t.notCancelled);
    }
    button.removeAttribute("aria-disabled");
  }

  async #switch(entityId, isOn) {
    try {
      await this.#hass.callService("switch", isOn ? "turn_on" : "turn_off", {}, { entity_id: entityId }, false);
    } catch (error) {
      await this.#notifyFailure(error, this.#texts.notSwitched);
    }
  }

  /** Show why something failed. If the connection broke before the answer, it may have been done all the same. */
  async #notifyFailure(error, text) {
    const reason = await this.#reason(error);
    if (isConnectionLoss(error)) this.#notify("warning", reason);
    else this.#notify("error", text(reason));
  }

  /** Ask for confirmation if a number may be an emergency service, and return whether to send. */
  async #mayBeSent(isShort, name) {
    return !isShort || this.#ask(this.#texts.shortNumber(name), this.#texts.send);
  }

  /** Ask the user, and return whether the answer is yes. */
  #ask(question, yes) {
    const { dialog, question: text, confirm } = this.#elements;
    text.textContent = question;
    confirm.textContent = yes;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }
}

/** Replace the children of an element, unless they look the same: a screen reader would read them out again. */
function fill(element, ...children) {
  const wanted = [...h("div", {}, ...children.flat()).childNodes];
  const shown = [...element.childNodes];
  const isSame = wanted.length === shown.length && wanted.every((node, index) => node.isEqualNode(shown[index]));
  if (!isSame) element.replaceChildren(...wanted);
}

function alert(tone, text, link) {
  const symbol = { error: "mdi:alert-circle", warning: "mdi:alert", success: "mdi:check-circle" }[tone];
  return h("div", { class: `alert ${tone}` }, icon(symbol), h("div", {}, text), link);
}

/** Open a link inside the app, without reloading the page. */
function navigate(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", event.currentTarget.getAttribute("href"));
  window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: false } }));
}

/** Return whether a call failed because the websocket was closed; its answer is unknown then. */
function isConnectionLoss(error) {
  return error === CONNECTION_LOST || error?.error?.code === CONNECTION_LOST;
}

function isShort(number) {
  const digits = number.replace(/\D/g, "").length;
  return digits > 0 && digits <= SHORT_NUMBER;
}

const isOwn = (entity) => entity?.platform === DOMAIN;

function ownDevices(hass) {
  const ids = new Set(Object.values(hass?.entities ?? {}).filter(isOwn).map((entity) => entity.device_id));
  return [...ids].map((id) => hass.devices?.[id]).filter(Boolean);
}

/** Suggest the card for the sensors and events of an account or a recipient. */
function getEntitySuggestion(hass, entityId) {
  const entity = hass.entities?.[entityId];
  if (!isOwn(entity) || !/^(sensor|event)\./.test(entityId)) return null;
  const sameDevice = Object.values(hass.entities).filter((each) => each.device_id === entity.device_id);
  const recipient = sameDevice.find((each) => each.entity_id.startsWith("notify."));
  const device = hass.devices[entity.device_id];
  // A device that is connected through the account's, without a notify entity, is a phone.
  if (!recipient && device?.via_device_id) return null;
  const config = { type: `custom:${TYPE}`, ...GoSmsCard.getStubConfig(hass) };
  if (config.config_entry_id) config.config_entry_id = device.primary_config_entry;
  return { config: recipient ? { ...config, recipient: recipient.entity_id } : config };
}

if (!customElements.get(TYPE)) {
  customElements.define(TYPE, GoSmsCard);
  window.customCards = window.customCards ?? [];
  window.customCards.push({
    type: TYPE,
    name: "GoSMS.ru",
    description: textsOf(document.querySelector("home-assistant")?.hass).description,
    preview: true,
    documentationURL: "https://github.com/gosms-home-assistant/gosms/blob/main/docs/card.md",
    getEntitySuggestion,
  });
}
