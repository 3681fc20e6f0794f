package io.peftj.core.io.gguf;

import io.peftj.core.io.Mutations;
import io.peftj.core.io.gguf.GgufModelTest.Model;
import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

public class GgufMutationTest {
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2})
    void damagedGgufNeverEndsInAnotherError(long seed) {
        byte[] valid = new Model("llama").withTokenizer().bytes().toArray();

        Mutations.run(valid, seed, 10_000, GgufMutationTest::readEverything);
    }

    /** All that a caller could ask for. */
    public static void readEverything(byte[] bytes) {
        try (GgufModel model = GgufModel.of(ByteBuffer.wrap(bytes), "fuzzed")) {
            model.config();
            model.tokenizer();
            model.tokenizerConfig();
            model.tensors().names().forEach(name -> model.tensors().find(name).toFloats());
        }
    }
}
