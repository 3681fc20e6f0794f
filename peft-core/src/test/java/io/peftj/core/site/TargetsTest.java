package io.peftj.core.site;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetsTest {
    @ParameterizedTest
    @CsvSource({
        "score, score, true",
        "classifier.dense, classifier, true",
        "classifier.dense, dense, true",
        "model.layers.0.self_attn.q_norm, norm, true",
        "model.layers.0.post_attention_layernorm, norm, true",
        "model.norm, model.norm, true",
        "model.layers.0.mlp.up_proj, mlp, true",
        "model.norms, norm, false",
        "model.layers.0.mlp.up_proj, proj.up, false"
    })
    void modulesToSaveMatchTheEndsOfNamesAsPeftMatchesThem(String module, String entry, boolean inside) {
        assertThat(Targets.isInside(module, entry)).isEqualTo(inside);
    }

    @Test
    void aRangeOfOutputsIsNamedLikeAPythonSlice() {
        Site site = new Site("attn.c_attn", Role.QUERY_KEY_VALUE, 0, 4, 12, true, true);

        assertThat(new OutputRange(site, 8, 12)).hasToString("attn.c_attn[8:12]");
        assertThat(OutputRange.all(site)).hasToString("attn.c_attn");
    }
}
