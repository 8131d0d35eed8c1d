import { Alert, Text } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { troubled } from "../words/sentences";

/** An error where it happened: the sentence, and the server's English words small beneath it. */
export function TroubleText({ error }: { error: unknown }) {
  if (!error) return null;
  const { sentence, detail } = troubled(error);
  return (
    <Alert variant="light" color="red" icon={<TriangleAlert size={18} aria-hidden />} role="alert">
      <Text size="sm">{sentence}</Text>
      {detail && (
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {detail}
        </Text>
      )}
    </Alert>
  );
}
