package io.peftj.djl.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.ConfigReader;
import io.peftj.djl.chat.Message;
import io.peftj.djl.train.Conversation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads conversations as OpenAI's API has them. */
final class Conversations {
    private static final String MESSAGES = "messages";
    private static final String CONTENT = "content";

    private Conversations() {}

    static List<Conversation> read(Path file) {
        if (!file.getFileName().toString().endsWith(".jsonl")) {
            throw new InvalidFileException(file.getFileName()
                    + ": expected conversations as JSON lines, in a file whose name ends in .jsonl; write one object"
                    + " with messages in every line");
        }
        return TextFiles.some(file, TextFiles.jsonLines(file, Conversations::conversation));
    }

    static Conversation conversation(JsonObject line, String place) {
        refuse(ConfigReader.of(line, place), "tools", "functions");
        if (!(line.get(MESSAGES) instanceof JsonArray array) || array.isEmpty()) {
            throw new InvalidFileException(place + ": expected a list of messages under \"messages\", found "
                    + line.get(MESSAGES) + "; give each a role and a content");
        }
        List<Message> messages = new ArrayList<>();
        for (JsonElement element : array) {
            messages.add(message(element, place + ", message " + messages.size()));
        }
        return new Conversation(messages);
    }

    private static Message message(JsonElement element, String place) {
        if (!(element instanceof JsonObject object)) {
            throw new InvalidFileException(
                    place + ": expected an object with role and content, found " + element + "; write one");
        }
        ConfigReader message = ConfigReader.of(object, place);
        refuse(message, "tool_calls", "function_call");
        if (message.optionalDouble("weight", 1) != 1) {
            throw message.error(
                    "weight", "1 or nothing", "weights of messages are not known here; leave the message out");
        }
        return new Message(message.requiredString("role"), content(object, message));
    }

    /** A text, or parts of which all are texts. */
    private static String content(JsonObject object, ConfigReader message) {
        if (!(object.get(CONTENT) instanceof JsonArray parts)) {
            return message.requiredString(CONTENT);
        }
        StringBuilder text = new StringBuilder();
        for (JsonElement part : parts) {
            if (part instanceof JsonObject one && one.get("text") != null && !one.has("image_url")) {
                text.append(ConfigReader.of(one, "a part of a content").requiredString("text"));
            } else {
                throw message.error(
                        CONTENT, "a text, or parts that are texts", "images and sounds cannot be trained on");
            }
        }
        return text.toString();
    }

    private static void refuse(ConfigReader json, String... keys) {
        for (String key : keys) {
            if (json.has(key) && !(json.json().get(key) instanceof JsonArray array && array.isEmpty())) {
                throw json.error(key, "nothing", "calls of tools are not known here; leave such conversations out");
            }
        }
    }
}
