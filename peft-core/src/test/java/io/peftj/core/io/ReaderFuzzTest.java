package io.peftj.core.io;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.gguf.GgufMutationTest;
import io.peftj.core.io.onnx.OnnxFile;
import java.io.ByteArrayInputStream;

/**
 * Readers of what strangers send, under Jazzer. An ordinary build runs the inputs kept beside this class's resources;
 * {@code JAZZER_FUZZ=1 mvn test -pl peft-core -Dtest='ReaderFuzzTest#safetensors'} looks for new ones.
 */
class ReaderFuzzTest {
    @FuzzTest(maxDuration = "5m")
    void safetensors(byte[] bytes) {
        readerEndsWell(() -> ReaderMutationTest.readEverything(bytes));
    }

    @FuzzTest(maxDuration = "5m")
    void json(byte[] bytes) {
        readerEndsWell(() -> ReaderMutationTest.readConfig(bytes));
    }

    @FuzzTest(maxDuration = "5m")
    void onnx(byte[] bytes) {
        readerEndsWell(() -> {
            var model = OnnxFile.read(new ByteArrayInputStream(bytes), "fuzzed");
            model.names().forEach(name -> model.find(name).toFloats());
        });
    }

    @FuzzTest(maxDuration = "5m")
    void gguf(byte[] bytes) {
        readerEndsWell(() -> GgufMutationTest.readEverything(bytes));
    }

    private static void readerEndsWell(Runnable reader) {
        try {
            reader.run();
        } catch (InvalidFileException expected) {
            // What a damaged file is to end in.
        }
    }
}
