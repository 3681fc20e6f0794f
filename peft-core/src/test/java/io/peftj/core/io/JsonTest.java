package io.peftj.core.io;

import static io.peftj.core.io.SafetensorsBytes.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class JsonTest {
    @Test
    void everyReferenceConfigIsWrittenAsPythonWroteIt() throws IOException {
        for (Path file : Reference.files("adapter_config.json")) {
            assertThat(Json.write(Json.read(file))).as("%s", file).isEqualTo(Files.readString(file));
        }
    }

    @Test
    void writingIsSortedIndentedAndInAscii() {
        JsonObject object = new JsonObject();
        object.addProperty("z", "ä \uD83D\uDE00 \u2028 \" \\ \n \u0001 \u007f /");
        object.add("empty", new JsonArray());
        object.add("none", JsonNull.INSTANCE);
        JsonArray mixed = new JsonArray();
        mixed.add(1);
        mixed.add(0.5);
        mixed.add(true);
        mixed.add(new JsonObject());
        object.add("mixed", mixed);

        assertThat(Json.write(object)).isEqualTo("""
                        {
                          "empty": [],
                          "mixed": [
                            1,
                            0.5,
                            true,
                            {}
                          ],
                          "none": null,
                          "z": "\\u00e4 \\ud83d\\ude00 \\u2028 \\" \\\\ \\n \\u0001 \\u007f /"
                        }""");
        assertThat(Json.writeCompact(object))
                .startsWith("{\"empty\":[],\"mixed\":[1,0.5,true,{}],\"none\":null,\"z\":\"");
        assertThat(Json.parse(Json.write(object), "text")).isEqualTo(object);
    }

    @Test
    void numbersKeepTheirText() {
        String text = json("{'a':1e-05,'b':8,'c':8.0,'d':123456789012345678901234567890,'e':-0.0}");

        assertThat(Json.writeCompact(Json.parse(text, "text"))).isEqualTo(text);
    }

    static Stream<Arguments> refusals() {
        return Stream.of(
                arguments("", "found an error: End of input"),
                arguments("[]", "expected begin object at $, found begin array"),
                arguments("{'a':1,'a':2}", "key \"a\" at $.a occurs twice, expected once; remove one of the two"),
                arguments("{'x':{'a':1,'a':2}}", "key \"a\" at $.x.a occurs twice"),
                arguments("{'a':NaN}", "expected valid JSON"),
                arguments("{'a':-Infinity}", "expected valid JSON"),
                arguments("{'a':1e400}", "expected a number within a double's range at $.a, found 1e400"),
                arguments("{'a':01}", "expected valid JSON"),
                arguments("{'a':TRUE}", "expected valid JSON"),
                arguments("{'a':1,}", "expected valid JSON"),
                arguments("{'a':[1,]}", "expected valid JSON"),
                arguments("{'a' 1}", "expected valid JSON"),
                arguments("{a:1}", "expected valid JSON"),
                arguments("{'a':1} // comment", "expected valid JSON"),
                arguments("{'a':1}{}", "expected valid JSON"),
                arguments("{'a':'\n'}", "expected valid JSON"),
                arguments("{'a':'\\x'}", "expected valid JSON"),
                arguments("{'a':" + "[".repeat(100_000), "Nesting limit 64 reached"),
                arguments(
                        "{'a':[" + "0,".repeat(1_000_000) + "0]}",
                        "expected at most 1000000 values in JSON, found more"),
                arguments(
                        "{'a':'" + "x".repeat(16 << 20) + "'}",
                        "expected at most 16777216 bytes of JSON, found 16777224"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void whatIsNoStrictJsonIsRefused(String text, String message) {
        assertThatThrownBy(() -> Json.parse(json(text), "adapter/adapter_config.json"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith("adapter/adapter_config.json: ")
                .hasMessageContaining(message)
                .hasMessageNotContaining("http");
    }

    @Test
    void anAbsentFileIsNamed(@TempDir Path folder) {
        Path file = folder.resolve("config.json");

        assertThatThrownBy(() -> Json.read(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(file + " does not exist, expected a readable file; check the path or copy the file there");
    }
}
