package io.peftj.methods.reft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Json;
import io.peftj.methods.TinyModels;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReftConfigTest {
    private static final String POSITIONS = "\"first_positions\": 1, \"last_positions\": 1";

    private final ReftMethod method = new ReftMethod();

    private ReftConfig read(String json) {
        return method.read(Json.parse(json, "test"));
    }

    private static void assertRefused(UnaryOperator<ReftConfig.Builder> bad, String message) {
        assertThatThrownBy(() -> bad.apply(ReftConfig.builder()).build())
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage(message);
    }

    private void assertNotRead(String json, String message) {
        assertThatThrownBy(() -> read(json))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("adapter_config.json: expected " + message);
    }

    @Test
    void aSubspaceNeedsAWidth() {
        assertRefused(builder -> builder.rank(0), "r: expected at least 1, found 0; 1 to 8 are usual");
    }

    @Test
    void positionsAreCounted() {
        String expected = "first_positions and last_positions: expected numbers from 0 on, not both 0, found ";
        assertRefused(builder -> builder.positions(0, 0), expected + "0 and 0; 7 and 7 are usual");
        assertRefused(builder -> builder.positions(-1, 2), expected + "-1 and 2; 7 and 7 are usual");
        assertRefused(builder -> builder.positions(3, -1), expected + "3 and -1; 7 and 7 are usual");
    }

    @Test
    void lengthsAreOursOrPyrefts() {
        assertRefused(
                builder -> builder.lengthOffset(1),
                "length_offset: expected 0, or -1 as pyreft counts, found 1; leave it out");
    }

    @Test
    void dropoutIsAProbabilityBelowOne() {
        assertRefused(builder -> builder.dropout(1), "dropout: expected 0 to below 1, found 1.0; 0 is usual");
        assertRefused(builder -> builder.dropout(-0.1), "dropout: expected 0 to below 1, found -0.1; 0 is usual");
        assertRefused(builder -> builder.dropout(Double.NaN), "dropout: expected 0 to below 1, found NaN; 0 is usual");
    }

    @Test
    void layersAreNamedOnce() {
        assertRefused(
                builder -> builder.layers(List.of(1, 0, 1)), "layers: expected each number once, found [1, 0, 1]");
    }

    @Test
    void layersAndRanksMustFitTheModel() {
        ReftConfig.Builder config = ReftConfig.builder().rank(2);

        assertThatThrownBy(() -> method.plan(
                        TinyModels.llama(2), config.layers(List.of(0, 2)).build()))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("layers: expected numbers from 0 to 1, as the model has 2 layers, found 2");
        assertThatThrownBy(() -> method.plan(
                        TinyModels.llama(2), config.layers(List.of(-1)).build()))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("layers: expected numbers from 0 to 1, as the model has 2 layers, found -1");
        assertThatThrownBy(() -> method.plan(
                        TinyModels.llama(2), config.layers(List.of()).rank(9).build()))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("r: expected at most the model's width of 8, found 9; lower it");
    }

    @Test
    void filesSayRankAndPositions() {
        String remedy = ", found no such key; add the key, or check that this is the right file";
        assertNotRead("{" + POSITIONS + "}", "an integer under \"r\"" + remedy);
        assertNotRead("{\"r\": 4, \"last_positions\": 1}", "an integer under \"first_positions\"" + remedy);
        assertNotRead("{\"r\": 4, \"first_positions\": 1}", "an integer under \"last_positions\"" + remedy);
    }

    @Test
    void unknownVariantsAreRefused() {
        assertNotRead(
                "{\"r\": 4, \"variant\": \"reft\", " + POSITIONS + "}",
                "one of [loreft, direft, noreft, consreft, lobireft] under \"variant\", found \"reft\"; correct it");
    }

    @ParameterizedTest
    @EnumSource
    void everythingWrittenIsReadBack(ReftVariant variant) {
        ReftConfig config = ReftConfig.builder()
                .variant(variant)
                .rank(3)
                .layers(List.of(1, 4))
                .positions(2, 5)
                .shareWeights(false)
                .lengthOffset(-1)
                .dropout(0.25)
                .modulesToSave(List.of("score"))
                .headOfTask(false)
                .taskType(TaskType.SEQ_CLS)
                .build();

        JsonObject json = method.write(config);

        assertThat(method.read(json)).isEqualTo(config);
        assertThat(method.keys()).containsAll(json.keySet());
        assertThat(config.toBuilder().build()).isEqualTo(config);
    }
}
