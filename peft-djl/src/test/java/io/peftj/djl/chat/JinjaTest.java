package io.peftj.djl.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.io.Json;
import io.peftj.djl.chat.jinja.Template;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Templates against what Jinja2 makes of them, and what is refused. */
class JinjaTest {
    private static final JsonObject CASES = cases();

    private static JsonObject cases() {
        try (InputStream in = JinjaTest.class.getResourceAsStream("jinja.json")) {
            String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
            return Json.parse(text, "jinja.json");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<JsonObject> objects(String key) {
        return CASES.getAsJsonArray(key).asList().stream()
                .map(JsonElement::getAsJsonObject)
                .toList();
    }

    static List<JsonObject> texts() {
        return objects("texts");
    }

    @ParameterizedTest
    @MethodSource("texts")
    void textsAreJinja2s(JsonObject one) {
        Template template = Template.parse("a template", one.get("template").getAsString());
        assertThat(template.render(variables(CASES.get("variables"))))
                .isEqualTo(one.get("expected").getAsString());
    }

    static List<JsonObject> templates() {
        return objects("templates");
    }

    @ParameterizedTest
    @MethodSource("templates")
    void conversationsAreJinja2s(JsonObject one) {
        ChatTemplate template = ChatTemplate.of(
                one.get("name").getAsString(),
                one.get("template").getAsString(),
                Map.of("bos_token", "<s>", "eos_token", "</s>"));
        List<JsonElement> conversations = CASES.getAsJsonArray("conversations").asList();
        List<JsonElement> prompts = one.getAsJsonArray("prompts").asList();
        assertThat(prompts).hasSameSizeAs(conversations);
        for (int i = 0; i < prompts.size(); i++) {
            assertThat(template.prompt(messages(conversations.get(i))))
                    .isEqualTo(prompts.get(i).getAsString());
        }
        List<Message> two = List.of(
                messages(conversations.get(0)).get(0),
                messages(conversations.get(1)).get(2));
        assertThat(template.conversation(two)).isEqualTo(one.get("whole").getAsString());
    }

    private static List<Message> messages(JsonElement conversation) {
        return conversation.getAsJsonArray().asList().stream()
                .map(JsonElement::getAsJsonObject)
                .map(m -> new Message(
                        m.get("role").getAsString(), m.get("content").getAsString()))
                .toList();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> variables(JsonElement json) {
        return (Map<String, Object>) Objects.requireNonNull(value(json));
    }

    private static @Nullable Object value(JsonElement json) {
        if (json.isJsonArray()) {
            return json.getAsJsonArray().asList().stream().map(JinjaTest::value).toList();
        }
        if (json.isJsonObject()) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            json.getAsJsonObject().asMap().forEach((key, one) -> map.put(key, value(one)));
            return map;
        }
        if (json.isJsonNull()) {
            return null;
        }
        JsonPrimitive primitive = json.getAsJsonPrimitive();
        if (primitive.isBoolean()) {
            return primitive.getAsBoolean();
        }
        if (!primitive.isNumber()) {
            return primitive.getAsString();
        }
        return primitive.getAsString().contains(".") ? (Object) primitive.getAsDouble() : primitive.getAsLong();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '#', quoteCharacter = '`', textBlock = """
        a{% include 'b' %} # line 1: the tag "include" is not known or not open; known are if, for, set, macro, generation, break and continue
        {% endif %} # line 1: the tag "endif" is not known or not open
        {% if x %} # line 1: an if has no end; expected one of [elif, else, endif]
        {% for x y %}{% endfor %} # line 1: expected "in", found "y"
        {{ x y }} # line 1: expected the end of the tag, found "y"
        {{ x # line 1: a tag, or a bracket in it, has no end; expected }}
        {{ 'x }} # line 1: a string has no end
        {{ x ? }} # line 1: the character "?" means nothing in a tag
        {{ (1, }} # line 1: a tag, or a bracket in it, has no end; expected }}
        {{ (1, | 2) }} # line 1: expected a value, found "|"
        {{ x. }} # line 1: expected a name after a dot, found the end of the tag
        {{ '\\u12' }} # line 1: an escape in a string has not its 4 hex digits
        {% macro f(a b) %}{% endmacro %} # line 1: expected ",", found "b"
        """)
    void whatIsNotWellFormedIsRefusedWithItsLine(String source, String message) {
        assertThatThrownBy(() -> Template.parse("the template", source))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageStartingWith("the template, " + message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '#', quoteCharacter = '`', textBlock = """
        {{ s | urlize }} # the filter "urlize" is not known; known are [capitalize, count,
        {{ s is weird }} # the test "weird" is not known; known are [!=, ==,
        {{ s.format(1) }} # "format", which is not defined, cannot be called: no such function or method is known
        {{ nobody.home }} # "nobody", which is not defined, has no attribute "home"
        {{ 1 + 'a' }} # the operator + does not work on 1 and 'a'
        {{ 1 // 0 }} # a number is divided by 0
        {{ [1] < [2] }} # [1] and [2] have no order; compare numbers or strings
        {{ 1[0] }} # 1 has no entry 0
        {% for i in 1 %}{% endfor %} # 1 cannot be gone through
        {% set a, b = [1] %} # 2 variables cannot be set of 1 values: [a, b]
        {% set s.x = 1 %} # "s" is no namespace; only a namespace's variables can be set
        {{ s.strip(a=1) }} # the argument "a" is not known; known are [chars]
        {{ s.upper | tojson }} # tojson: a function cannot be written as JSON
        {{ range(1000000) }} # range: expected a step other than 0 and at most 100000 numbers
        {{ strftime_now('%Q') }} # strftime_now: "%Q" is not known
        {% macro f() %}{{ f() }}{% endmacro %}{{ f() }} # the macro f is the last of more than 100 nested calls
        """)
    void whatIsNotKnownIsRefusedWithItsLine(String source, String message) {
        Template template = Template.parse("the template", "\n\n" + source);
        assertThatThrownBy(() -> template.render(Map.of("s", "text")))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageStartingWith("the template, line 3: " + message);
    }

    @Test
    void aTemplateMayRefuseWhatItIsGiven() {
        Template template = Template.parse("the template", "{{ raise_exception('roles must ' ~ 'alternate') }}");
        assertThatThrownBy(() -> template.render(Map.of()))
                .isInstanceOf(PeftException.class)
                .hasMessage("the template refuses what it is given: roles must alternate");
    }

    @Test
    void aTemplateCanBeFilledInAgain() {
        Template template = Template.parse("the template", "{% set x = x + 1 %}{{ x }}{{ y is none }}");
        Map<String, @Nullable Object> variables = new HashMap<>();
        variables.put("x", 1);
        variables.put("y", null);
        assertThat(template.render(variables)).isEqualTo("2True");
        assertThat(template.render(variables)).isEqualTo("2True");
        assertThatThrownBy(() -> template.render(Map.of("x", new Object())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("found java.lang.Object");
    }

    @Test
    void aTemplateMayAskForTheDate() {
        LocalDate before = LocalDate.now(ZoneId.systemDefault());
        String text = Template.parse("the template", "{{ strftime_now('%Y-%m-%d, %d %b') }}")
                .render(Map.of());
        assertThat(text).matches("\\d{4}-\\d\\d-\\d\\d, \\d\\d [A-Z][a-z]{2}").startsWith("" + before.getYear());
    }
}
