package io.peftj.core.io;

import static io.peftj.core.io.SafetensorsBytes.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.peftj.core.InvalidFileException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ConfigReaderTest {
    private static final ConfigReader CONFIG = ConfigReader.of(
            Json.parse(
                    json(
                            "{'int':8,'negative':-3,'double':1e-05,'large':3000000000,'name':'silu','yes':true,'none':null,"
                                    + "'list':['a','b'],'ints':[1,2],'mixed':['a',1],'rope':{'theta':'x','type':'llama3'}}"),
                    "base/config.json"),
            "base/config.json");

    @Test
    void valuesAreReadByType() {
        assertThat(CONFIG.requiredInt("int")).isEqualTo(8);
        assertThat(CONFIG.optionalInt("negative", 1)).isEqualTo(-3);
        assertThat(CONFIG.requiredDouble("double")).isEqualTo(1e-5);
        assertThat(CONFIG.requiredDouble("int")).isEqualTo(8);
        assertThat(CONFIG.requiredString("name")).isEqualTo("silu");
        assertThat(CONFIG.optionalBoolean("yes", false)).isTrue();
        assertThat(CONFIG.strings("list")).containsExactly("a", "b");
        assertThat(CONFIG.ints("ints")).containsExactly(1, 2);
        assertThat(CONFIG.requiredObject("rope").requiredString("type")).isEqualTo("llama3");
        assertThat(CONFIG.json().size()).isEqualTo(11);
    }

    @Test
    void absentAndNullKeysGiveTheDefault() {
        for (String key : new String[] {"none", "absent"}) {
            assertThat(CONFIG.has(key)).isFalse();
            assertThat(CONFIG.optionalInt(key, 7)).isEqualTo(7);
            assertThat(CONFIG.optionalDouble(key, 0.5)).isEqualTo(0.5);
            assertThat(CONFIG.optionalString(key, "gelu")).isEqualTo("gelu");
            assertThat(CONFIG.optionalBoolean(key, true)).isTrue();
            assertThat(CONFIG.optionalObject(key)).isEmpty();
            assertThat(CONFIG.strings(key)).isEmpty();
        }
        assertThat(CONFIG.keys()).contains("none").doesNotContain("absent");
    }

    static Stream<Arguments> errors() {
        String right = "; correct the value, or check that this is the right file";
        String add = "; add the key, or check that this is the right file";
        return Stream.of(
                error(
                        c -> c.requiredInt("absent"),
                        "base/config.json: expected an integer under \"absent\", found no such key" + add),
                error(
                        c -> c.requiredInt("none"),
                        "base/config.json: expected an integer under \"none\", found null" + add),
                error(
                        c -> c.requiredInt("double"),
                        "base/config.json: expected an integer from -2147483648 to 2147483647 under \"double\", found 1e-05"
                                + right),
                error(c -> c.optionalInt("large", 0), "found 3000000000"),
                error(c -> c.optionalInt("name", 0), "found \"silu\""),
                error(
                        c -> c.requiredDouble("name"),
                        "base/config.json: expected a finite number under \"name\", found \"silu\"" + right),
                error(
                        c -> c.requiredString("int"),
                        "base/config.json: expected a string under \"int\", found 8" + right),
                error(
                        c -> c.optionalBoolean("int", true),
                        "base/config.json: expected true or false under \"int\", found 8" + right),
                error(
                        c -> c.requiredObject("list"),
                        "base/config.json: expected an object under \"list\", found [\"a\",\"b\"]" + right),
                error(
                        c -> c.strings("name"),
                        "base/config.json: expected a list of strings under \"name\", found \"silu\"" + right),
                error(c -> c.strings("mixed"), "base/config.json: expected a string under \"mixed\", found 1" + right),
                error(
                        c -> c.requiredObject("rope").requiredDouble("theta"),
                        "base/config.json: expected a finite number under \"rope.theta\", found \"x\"" + right));
    }

    private static Arguments error(Consumer<ConfigReader> read, String message) {
        return arguments(read, message);
    }

    @ParameterizedTest
    @MethodSource("errors")
    void aWrongValueIsNamedWithItsFileAndKey(Consumer<ConfigReader> read, String message) {
        assertThatThrownBy(() -> read.accept(CONFIG))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aReaderCanReportAValueOfItsOwnRules() {
        assertThat(CONFIG.requiredObject("rope").error("type", "default or linear", "use another model"))
                .hasMessage("base/config.json: expected default or linear under \"rope.type\", found \"llama3\";"
                        + " use another model");
    }
}
