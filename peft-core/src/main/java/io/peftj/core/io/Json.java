package io.peftj.core.io;

import com.google.gson.FormattingStyle;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import io.peftj.core.InvalidFileException;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * JSON as configurations use it: read strictly, written as Python's {@code json.dump(indent=2, sort_keys=True)} writes it.
 *
 * <p>Refused are duplicate keys, NaN and infinities, comments, text after the document, bytes that are not UTF-8, and
 * files that are larger (16 MiB), deeper (64) or of more values (a million) than any configuration. Numbers keep their
 * text, so that an integer stays one when it is written again.
 */
public final class Json {
    private static final int MAX_BYTES = 16 << 20;
    private static final int MAX_DEPTH = 64;
    private static final int MAX_VALUES = 1_000_000;

    private Json() {}

    /**
     * Reads a file that holds one object.
     *
     * @throws InvalidFileException if the file is missing, cannot be read, or is refused
     */
    public static JsonObject read(Path file) {
        return parse(InputFiles.readAll(file, MAX_BYTES), InputFiles.shortName(file));
    }

    /**
     * Parses a text that holds one object.
     *
     * @param source where the text comes from, for messages
     * @throws InvalidFileException if the text is refused
     */
    public static JsonObject parse(String text, String source) {
        return parse(text.getBytes(StandardCharsets.UTF_8), source);
    }

    static JsonObject parse(byte[] utf8, String source) {
        if (utf8.length > MAX_BYTES) {
            throw new InvalidFileException(source + ": expected at most " + MAX_BYTES + " bytes of JSON, found "
                    + utf8.length + "; this is no configuration");
        }
        return StrictReader.readDocument(utf8, source, MAX_DEPTH, reader -> new Parser(reader).object());
    }

    /** The object over several lines, keys sorted, in ASCII, without a newline at the end. */
    public static String write(JsonObject object) {
        return write(object, FormattingStyle.PRETTY);
    }

    /** The object in one line without spaces, keys sorted, in ASCII. */
    public static String writeCompact(JsonObject object) {
        return write(object, FormattingStyle.COMPACT);
    }

    private static String write(JsonElement element, FormattingStyle style) {
        StringWriter text = new StringWriter();
        try (JsonWriter writer = new JsonWriter(text)) {
            writer.setStrictness(Strictness.STRICT);
            writer.setHtmlSafe(false);
            writer.setFormattingStyle(style);
            write(element, writer);
        } catch (IOException e) {
            throw new UncheckedIOException("a StringWriter does not fail", e);
        }
        return ascii(text.toString());
    }

    private static void write(JsonElement element, JsonWriter writer) throws IOException {
        if (element instanceof JsonObject object) {
            writer.beginObject();
            List<Map.Entry<String, JsonElement>> entries = object.entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .toList();
            for (Map.Entry<String, JsonElement> entry : entries) {
                writer.name(entry.getKey());
                write(entry.getValue(), writer);
            }
            writer.endObject();
        } else if (element instanceof JsonArray array) {
            writer.beginArray();
            for (JsonElement item : array) {
                write(item, writer);
            }
            writer.endArray();
        } else if (element instanceof JsonPrimitive primitive) {
            if (primitive.isNumber()) {
                writer.value(primitive.getAsNumber());
            } else if (primitive.isBoolean()) {
                writer.value(primitive.getAsBoolean());
            } else {
                writer.value(primitive.getAsString());
            }
        } else {
            writer.nullValue();
        }
    }

    /** Beyond ASCII there are only characters of strings, where an escape may stand for each. */
    private static String ascii(String json) {
        StringBuilder escaped = new StringBuilder(json.length());
        for (int i = 0; i < json.length(); i++) {
            char c = json.charAt(i);
            if (c < 0x7F) {
                escaped.append(c);
            } else {
                escaped.append(String.format("\\u%04x", (int) c));
            }
        }
        return escaped.toString();
    }

    /** Builds the tree and counts its values, each of which costs far more memory than its text. */
    private static final class Parser {
        private final StrictReader reader;
        private int values;

        Parser(StrictReader reader) {
            this.reader = reader;
        }

        JsonObject object() throws IOException {
            JsonObject object = new JsonObject();
            Set<String> keys = new HashSet<>();
            reader.beginObject();
            while (reader.hasNext()) {
                object.add(reader.key(keys), value());
            }
            reader.endObject();
            return object;
        }

        private JsonArray array() throws IOException {
            JsonArray array = new JsonArray();
            reader.beginArray();
            while (reader.hasNext()) {
                array.add(value());
            }
            reader.endArray();
            return array;
        }

        private JsonElement value() throws IOException {
            if (++values > MAX_VALUES) {
                throw reader.error(
                        "expected at most " + MAX_VALUES + " values in JSON, found more; this is no configuration");
            }
            JsonToken next = reader.peek();
            return switch (next) {
                case BEGIN_OBJECT -> object();
                case BEGIN_ARRAY -> array();
                case STRING -> new JsonPrimitive(reader.string());
                case NUMBER -> new JsonPrimitive(reader.number());
                case BOOLEAN -> new JsonPrimitive(reader.bool());
                default -> {
                    reader.nothing();
                    yield JsonNull.INSTANCE;
                }
            };
        }
    }
}
