import { Group, Radio, Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { LANGUAGES, type Language, speak } from "../../words";

export function LanguageStep() {
  const { t, i18n } = useTranslation();
  return (
    <Radio.Group
      label={t("door.setup.languageText")}
      value={i18n.language}
      onChange={(value) => void speak(value as Language)}
    >
      <Stack gap="xs" mt="sm">
        {LANGUAGES.map((each) => (
          <Radio.Card key={each} value={each} p="md" lang={each} aria-label={t(`app.language.${each}`)}>
            <Group gap="sm">
              <Radio.Indicator />
              {t(`app.language.${each}`)}
            </Group>
          </Radio.Card>
        ))}
      </Stack>
    </Radio.Group>
  );
}
