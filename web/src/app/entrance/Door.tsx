import {
  ActionIcon,
  Card,
  Group,
  Menu,
  Stack,
  Text,
  Title,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { Languages, Moon, Sun } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { LANGUAGES, speak } from "../../words";
import classes from "./Door.module.css";

/** Around what is seen before anybody has signed in. */
export function Door({
  title,
  text,
  wide,
  children,
}: {
  title: string;
  text?: string;
  wide?: boolean;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  return (
    <div className={classes.ground}>
      <Group justify="flex-end" gap={4} p="sm">
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon size="lg" aria-label={t("app.language.title")}>
              <Languages size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {LANGUAGES.map((each) => (
              <Menu.Item key={each} lang={each} onClick={() => void speak(each)}>
                {t(`app.language.${each}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <Tooltip label={t(dark ? "app.theme.light" : "app.theme.dark")}>
          <ActionIcon
            size="lg"
            onClick={() => setColorScheme(dark ? "light" : "dark")}
            aria-label={`${t("app.theme.title")}: ${t(dark ? "app.theme.light" : "app.theme.dark")}`}
          >
            {dark ? <Sun size={18} /> : <Moon size={18} />}
          </ActionIcon>
        </Tooltip>
      </Group>
      <main className={classes.main}>
        <Stack w="100%" maw={wide ? 720 : 400} gap="lg">
          <Group gap="md" wrap="nowrap">
            <img src="icon.svg" width={52} height={52} alt="" />
            <div>
              <Title order={1} size="h2">
                {title}
              </Title>
              {text && (
                <Text c="dimmed" size="sm">
                  {text}
                </Text>
              )}
            </div>
          </Group>
          <Card withBorder padding="xl" radius="lg" className={classes.card}>
            {children}
          </Card>
        </Stack>
      </main>
    </div>
  );
}
