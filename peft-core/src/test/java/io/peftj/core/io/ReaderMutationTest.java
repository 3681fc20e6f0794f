package io.peftj.core.io;

import static io.peftj.core.io.SafetensorsBytes.entry;
import static io.peftj.core.io.SafetensorsBytes.json;

import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tens of thousands of damaged files; the fuzz tests look further, guided by coverage. */
class ReaderMutationTest {
    private static final int COUNT = 10_000;

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2})
    void damagedSafetensorsNeverEndInAnotherError(long seed) {
        String header = "{"
                + String.join(
                        ",",
                        json("'__metadata__':{'format':'pt'}"),
                        entry("model.layers.0.weight", "F32", "[2,3]", 0, 24),
                        entry("ids", "I64", "[1]", 24, 32),
                        entry("half", "F16", "[2,1]", 32, 36))
                + "}  ";
        byte[] valid = SafetensorsBytes.file(header, 36).array();

        Mutations.run(valid, seed, COUNT, ReaderMutationTest::readEverything);
    }

    static void readEverything(byte[] bytes) {
        try (Safetensors file = Safetensors.of(ByteBuffer.wrap(bytes), "fuzzed")) {
            for (String name : file.names()) {
                StoredTensor tensor = file.find(name);
                if (tensor.type().isFloating()) {
                    tensor.toFloats();
                } else {
                    tensor.toLongs();
                }
            }
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2})
    void damagedJsonNeverEndsInAnotherError(long seed) {
        String config =
                json("{'r':8,'lora_alpha':1e-05,'bias':'n\\u006fne','target_modules':['q','v'],'loftq_config':{},"
                        + "'rank_pattern':{'a.b':4},'revision':null,'use_dora':false}");

        Mutations.run(config.getBytes(StandardCharsets.UTF_8), seed, COUNT, ReaderMutationTest::readConfig);
    }

    static void readConfig(byte[] bytes) {
        ConfigReader config = ConfigReader.of(Json.parse(bytes, "fuzzed"), "fuzzed");
        Json.parse(Json.write(config.json()), "written again");
        config.optionalInt("r", 1);
        config.optionalDouble("lora_alpha", 1);
        config.optionalString("bias", "none");
        config.strings("target_modules");
        config.optionalBoolean("use_dora", false);
        config.optionalObject("rank_pattern")
                .ifPresent(pattern -> pattern.keys().forEach(pattern::requiredInt));
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2})
    void damagedFingerprintsNeverEndInAnotherError(long seed) {
        StoredTensor tensor = StoredTensor.f32("layers.0.w", HostTensor.filled(Shape.of(2, 2), 1));
        Fingerprint valid =
                Fingerprint.compute("llama", Map.of("layers", 1), Map.of("layers.0.w", Fingerprint.Tensor.of(tensor)));

        Mutations.run(valid.encode().getBytes(StandardCharsets.UTF_8), seed, COUNT, bytes -> {
            Fingerprint read = Fingerprint.decode(new String(bytes, StandardCharsets.UTF_8), "fuzzed");
            valid.differenceFrom(read);
        });
    }
}
