import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const ouzel: MantineColorsTuple = [
  "#e7f5f5",
  "#d0e9ea",
  "#a3d4d7",
  "#74bfc4",
  "#4aabb1",
  "#2b9aa1",
  "#188890",
  "#0b777e",
  "#07626a",
  "#044b53",
];
const ember: MantineColorsTuple = [
  "#fff1e6",
  "#ffe0c9",
  "#ffc196",
  "#fda463",
  "#f98b3c",
  "#f07820",
  "#d9620f",
  "#b84c07",
  "#933c06",
  "#752f05",
];
const ink: MantineColorsTuple = [
  "#e8eef0",
  "#c6d0d4",
  "#9aa8ae",
  "#76868d",
  "#3c4a51",
  "#28343a",
  "#1a242a",
  "#121a1f",
  "#0d1316",
  "#070b0d",
];
const gray: MantineColorsTuple = [
  "#f6f8f8",
  "#eef1f2",
  "#e2e7e9",
  "#d3dade",
  "#bcc6cb",
  "#92a0a7",
  "#69787f",
  "#4c5a61",
  "#334047",
  "#1b262c",
];

/** A water bird's colours: ink and teal, and the warm one for what is live. */
export const theme = createTheme({
  primaryColor: "ouzel",
  primaryShade: 7,
  colors: { ouzel, ember, dark: ink, gray },
  black: "#132026",
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily:
    'Inter, "Segoe UI Variable", system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", ' +
    '"Hiragino Sans GB", "Microsoft YaHei UI", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8438rem", md: "0.9375rem", lg: "1.0625rem", xl: "1.25rem" },
  headings: { fontWeight: "650" },
  components: {
    Tooltip: { defaultProps: { withArrow: true, openDelay: 350 } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.5, blur: 2 } } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    Button: { styles: { root: { fontWeight: 600 } } },
  },
});

/** What Mantine's own colours leave short of a contrast of 4.5, and the surfaces that screens share. */
export const resolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-dimmed": "#56656c",
    "--mantine-color-placeholder": "#66757c",
    "--mantine-color-anchor": "#07626a",
    "--mantine-color-error": "#b3261e",
    "--ouzel-ground": "#f4f7f7",
    "--ouzel-card": "#ffffff",
    "--ouzel-line": "#dde4e6",
    "--ouzel-live": "#b84c07",
    "--ouzel-live-soft": "#fff1e6",
    "--ouzel-good": "#07626a",
    "--ouzel-good-soft": "#e1f2f2",
    "--ouzel-bad": "#b3261e",
    "--ouzel-bad-soft": "#fdeceb",
    "--ouzel-shadow": "0 1px 2px rgb(16 40 48 / 6%), 0 4px 14px rgb(16 40 48 / 5%)",
  },
  dark: {
    "--mantine-color-body": "#121a1f",
    "--mantine-color-dimmed": "#9fadb3",
    "--mantine-color-placeholder": "#8797a0",
    "--mantine-color-anchor": "#74bfc4",
    "--mantine-color-error": "#ff9a8f",
    "--mantine-color-default-border": "#2b383f",
    "--ouzel-ground": "#0b1114",
    "--ouzel-card": "#131c21",
    "--ouzel-line": "#233037",
    "--ouzel-live": "#ffa55f",
    "--ouzel-live-soft": "#331c0c",
    "--ouzel-good": "#74bfc4",
    "--ouzel-good-soft": "#0d2b2f",
    "--ouzel-bad": "#ff9a8f",
    "--ouzel-bad-soft": "#3a1614",
    "--ouzel-shadow": "0 1px 2px rgb(0 0 0 / 40%)",
  },
});

/** The choice of colours, where `first.js` finds it before the page is painted. */
export const SCHEME_KEY = "ouzel.scheme";
