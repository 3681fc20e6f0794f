package io.peftj.methods.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.site.Targets;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;

class LoraConfigTest {
    private static AbstractThrowableAssert<?, ?> assertRefused(Consumer<LoraConfig.Builder> setting) {
        LoraConfig.Builder builder = LoraConfig.builder();
        setting.accept(builder);
        return assertThatThrownBy(builder::build).isInstanceOf(InvalidConfigException.class);
    }

    @Test
    void alphaIsTwiceTheRankUnlessGiven() {
        assertThat(LoraConfig.builder().rank(16).build().alpha()).isEqualTo(32);
        assertThat(LoraConfig.builder().rank(16).alpha(8).build().alpha()).isEqualTo(8);
    }

    @Test
    void copiesByBuilderAreEqual() {
        LoraConfig config = LoraConfig.builder()
                .targets(Targets.string(".*q_proj"))
                .rankPattern(Map.of("q_proj", 3))
                .bias(LoraBias.ALL)
                .modulesToSave(List.of("lm_head"))
                .build();

        assertThat(config.toBuilder().build()).isEqualTo(config);
    }

    @Test
    void ranksBelowOneAreRefused() {
        assertRefused(b -> b.rank(0)).hasMessage("r: expected a rank of at least 1, found 0; 4 to 64 are usual");
        assertRefused(b -> b.rankPattern(Map.of("q_proj", -1)))
                .hasMessage("rank_pattern, \"q_proj\": expected a rank of at least 1, found -1; 4 to 64 are usual");
    }

    @Test
    void alphasThatAreNoScaleAreRefused() {
        assertRefused(b -> b.alpha(0))
                .hasMessage("lora_alpha: expected a finite number above 0, found 0.0; once or twice the rank is usual");
        assertRefused(b -> b.alphaPattern(Map.of("q_proj", Double.NaN)))
                .hasMessageStartingWith("alpha_pattern, \"q_proj\": expected a finite number above 0, found NaN");
    }

    @Test
    void dropoutOutsideItsRangeIsRefused() {
        for (double bad : new double[] {-0.1, 1, Double.NaN}) {
            assertRefused(b -> b.dropout(bad))
                    .hasMessage("lora_dropout: expected a probability of at least 0 and below 1, found " + bad
                            + "; 0.05 is usual");
        }
    }

    @Test
    void layersWithARegularExpressionAreRefused() {
        assertRefused(b -> b.targets(Targets.string(".*q_proj")).layersToTransform(List.of(1)))
                .hasMessage(
                        "layers_to_transform: expected none where target_modules is a regular expression, found [1];"
                                + " name the layers in the expression, or give a list of names");
    }

    @Test
    void aLayersPatternWithoutLayersIsRefused() {
        assertRefused(b -> b.layersPattern(List.of("h")))
                .hasMessage("layers_pattern: expected none without layers_to_transform, found [h];"
                        + " give the layers' numbers too");
    }

    @Test
    void aListOfLayersThatIsNoRegularExpressionIsRefused() {
        assertRefused(b -> b.layersToTransform(List.of(1)).layersPattern(List.of("(h")))
                .hasMessageStartingWith("layers_pattern has \"(h\", which is no regular expression: ")
                .hasMessageEndingWith("; give the name of the list of layers, such as \"layers\"");
    }

    @Test
    void patternsThatAreNoRegularExpressionAreRefused() {
        assertRefused(b -> b.rankPattern(Map.of("q_(proj", 2)))
                .hasMessageStartingWith("rank_pattern has the key \"q_(proj\", which is no regular expression: ")
                .hasMessageEndingWith("; give the end of a module's name, such as \"q_proj\"");
    }
}
