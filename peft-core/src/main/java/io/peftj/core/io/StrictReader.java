package io.peftj.core.io;

import com.google.gson.Strictness;
import com.google.gson.ToNumberPolicy;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.peftj.core.InvalidFileException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** A stream of JSON tokens as RFC 8259 has them, whose every error is an InvalidFileException that names the source. */
final class StrictReader {
    /** Reads from the stream; what it throws is turned into an error that names the source. */
    interface Body<T> {
        T read(StrictReader reader) throws IOException;
    }

    private static final Pattern COUNT = Pattern.compile("[0-9]{1,18}");
    /** Names and paths in messages may come from a hostile file, and be as long as that. */
    private static final int LONGEST_MESSAGE = 600;

    private final JsonReader tokens;
    private final String source;

    private StrictReader(JsonReader tokens, String source) {
        this.tokens = tokens;
        this.source = source;
    }

    /** Reads one whole document, to its end, with arrays and objects at most {@code depth} deep. */
    static <T> T readDocument(byte[] utf8, String source, int depth, Body<T> body) {
        // A decoder of our own, because the default one replaces bytes that are not UTF-8 silently.
        var characters = new InputStreamReader(new ByteArrayInputStream(utf8), StandardCharsets.UTF_8.newDecoder());
        JsonReader tokens = new JsonReader(characters);
        tokens.setStrictness(Strictness.STRICT);
        tokens.setNestingLimit(depth);
        StrictReader reader = new StrictReader(tokens, source);
        try {
            T value = body.read(reader);
            reader.expect(JsonToken.END_DOCUMENT);
            return value;
        } catch (IOException | IllegalStateException | NumberFormatException e) {
            InvalidFileException error = reader.error("expected valid JSON in UTF-8, found an error: " + firstLine(e)
                    + "; the file is damaged, copy or make it again");
            error.initCause(e);
            throw error;
        }
    }

    private static String firstLine(Exception e) {
        // Gson adds a line with an address to its messages; a decoder's error has none at all.
        String message = e.getMessage();
        return message == null || message.isBlank()
                ? e.getClass().getSimpleName()
                : message.lines().findFirst().orElse("");
    }

    JsonToken peek() throws IOException {
        return tokens.peek();
    }

    void beginObject() throws IOException {
        expect(JsonToken.BEGIN_OBJECT);
        tokens.beginObject();
    }

    void endObject() throws IOException {
        tokens.endObject();
    }

    void beginArray() throws IOException {
        expect(JsonToken.BEGIN_ARRAY);
        tokens.beginArray();
    }

    void endArray() throws IOException {
        tokens.endArray();
    }

    boolean hasNext() throws IOException {
        return tokens.hasNext();
    }

    /** The next key of an object, which must not be among those already read. */
    String key(Set<String> read) throws IOException {
        String key = tokens.nextName();
        if (!read.add(key)) {
            throw error("key \"" + key + "\" at " + tokens.getPath()
                    + " occurs twice, expected once; remove one of the two");
        }
        return key;
    }

    String string() throws IOException {
        expect(JsonToken.STRING);
        return tokens.nextString();
    }

    /** A number as it is written, so that writing it again changes nothing; never beyond a double's range. */
    Number number() throws IOException {
        expect(JsonToken.NUMBER);
        Number number = ToNumberPolicy.LAZILY_PARSED_NUMBER.readNumber(tokens);
        if (!Double.isFinite(number.doubleValue())) {
            throw error(
                    "expected a number within a double's range at " + tokens.getPreviousPath() + ", found " + number);
        }
        return number;
    }

    boolean bool() throws IOException {
        expect(JsonToken.BOOLEAN);
        return tokens.nextBoolean();
    }

    void nothing() throws IOException {
        expect(JsonToken.NULL);
        tokens.nextNull();
    }

    /** A number that is an integer of 0 or more. */
    long count() throws IOException {
        String text = number().toString();
        // 18 digits always fit a long, and no file has that many bytes.
        if (!COUNT.matcher(text).matches()) {
            throw error("expected an integer from 0 to 999999999999999999 at " + tokens.getPreviousPath() + ", found "
                    + text);
        }
        return Long.parseLong(text);
    }

    InvalidFileException error(String message) {
        String shown = message.length() <= LONGEST_MESSAGE ? message : message.substring(0, LONGEST_MESSAGE) + "…";
        return new InvalidFileException(source + ": " + shown);
    }

    private void expect(JsonToken expected) throws IOException {
        JsonToken found = tokens.peek();
        if (found != expected) {
            throw error("expected " + name(expected) + " at " + tokens.getPath() + ", found " + name(found));
        }
    }

    private static String name(JsonToken token) {
        return token.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
