// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.operators.model.ChatMessage;
import io.everwatch.operators.model.Model;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Messages to the ids of the prompt frame, every placeholder one pad. */
final class ChatGroup implements GoldenGroup {
  private static final String CHECKPOINT = "tiny_a";

  @Override
  public String name() {
    return "chat";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    Model model = context.model(CHECKPOINT);
    for (JsonNode one : context.cases("chat/cases.json")) {
      report.exact(
          one.get("name").asText(),
          () -> {
            int[] ids =
                model.grammar().chat(messages(one), one.get("add_generation_prompt").asBoolean());
            return Differences.between(ids, GoldenContext.ints(one.get("ids")))
                + Differences.between(
                    model.tokenizer().decode(ids, false), one.get("text").textValue());
          });
    }
  }

  private static List<ChatMessage> messages(JsonNode one) {
    List<ChatMessage> messages = new ArrayList<>();
    for (JsonNode message : one.get("messages")) {
      JsonNode content = message.get("content");
      List<ChatMessage.Part> parts = new ArrayList<>();
      if (content.isTextual()) {
        parts.add(ChatMessage.Part.text(content.textValue()));
      }
      for (JsonNode part : content) {
        parts.add(
            switch (part.get("type").textValue()) {
              case "image" -> ChatMessage.Part.picture(1);
              case "video" -> ChatMessage.Part.clip(1);
              default -> ChatMessage.Part.text(part.get("text").textValue());
            });
      }
      messages.add(new ChatMessage(message.get("role").textValue(), parts));
    }
    return messages;
  }
}
