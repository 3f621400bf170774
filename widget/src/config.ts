/** What the page says about the widget: the `data-…` attributes of the script tag. */

export interface Config {
  /** Where the server is, e.g. `https://help.example.com`, without a slash at the end. */
  origin: string;
  agent: string;
  key: string;
  title?: string;
  greeting?: string;
  /** Questions offered before the first message, with `|` between them. */
  suggestions?: string;
  /** The accent: any CSS colour. */
  color?: string;
  position?: string;
  /** `light` or `dark`; without it the visitor's own. */
  theme?: string;
  lang?: string;
}
