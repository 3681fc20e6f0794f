package io.peftj.core.io.torch;

import static io.peftj.core.io.torch.TorchBytes.dictionary;
import static io.peftj.core.io.torch.TorchBytes.floats;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.Mutations;
import io.peftj.core.io.StoredType;
import io.peftj.core.io.TensorSource;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StateDictFileTest {
    private static final byte[] SIX = floats(1, 2, 3, 4, 5, 6);

    @TempDir
    private Path folder;

    private TensorSource read(byte[] bytes) {
        try {
            return StateDictFile.read(Files.write(folder.resolve("x.bin"), bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] ofSix(TorchBytes dictionary) {
        return TorchBytes.file(dictionary.end(), Map.of("0", SIX));
    }

    private static TorchBytes sixAs(int offset, int[] sizes, int[] strides) {
        return dictionary().tensor("w", "FloatStorage", "0", 6, offset, sizes, strides);
    }

    private static int[] of(int... numbers) {
        return numbers;
    }

    private void assertRefused(byte[] bytes, String message) {
        assertThatThrownBy(() -> read(bytes))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(message);
    }

    @Test
    void tensorsAreReadAsTheyLieInTheirStorages() {
        TensorSource file = read(TorchBytes.file(
                dictionary()
                        .tensor("rows", "FloatStorage", "0", 6, 0, of(2, 3), of(3, 1))
                        .tensor("turned", "FloatStorage", "0", 6, 0, of(3, 2), of(1, 3))
                        .tensor("part", "FloatStorage", "0", 6, 4, of(2), of(1))
                        .tensor("none", "FloatStorage", "0", 6, 5, of(0, 3), of(3, 1))
                        .tensor("count", "LongStorage", "1", 1, 0, of(), of())
                        .end(),
                Map.of("0", SIX, "1", new byte[] {32, 0, 0, 0, 0, 0, 0, 0})));

        assertThat(file.names()).containsExactly("rows", "turned", "part", "none", "count");
        assertThat(file.find("rows").toFloats()).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(file.find("turned").shape()).isEqualTo(Shape.of(3, 2));
        assertThat(file.find("turned").toFloats()).containsExactly(1, 4, 2, 5, 3, 6);
        assertThat(file.find("part").toFloats()).containsExactly(5, 6);
        assertThat(file.find("none").toFloats()).isEmpty();
        assertThat(file.find("count").type()).isEqualTo(StoredType.I64);
        assertThat(file.find("count").toLongs()).containsExactly(32);
    }

    @Test
    void nothingIsEverCalled() {
        assertRefused(
                TorchBytes.file(TorchBytes.HARMFUL, Map.of()),
                "x.bin: expected a state_dict of tensors, found a pickle that calls \"os system\", which is not done; save"
                        + " the module's state_dict() alone");
        assertThat(Path.of("/tmp/harmed")).doesNotExist();
    }

    @Test
    void wholeModulesAndOtherThingsAreRefused() {
        assertRefused(
                TorchBytes.file(TorchBytes.pickle().text("hello").op('.').bytes(), Map.of()),
                "expected a dictionary of tensors, found hello");
        assertRefused(ofSix(dictionary().text("lr").number(3)), "expected tensors by name, found 3 under lr");
        assertRefused(
                TorchBytes.file(TorchBytes.pickle().op('i').op('.').bytes(), Map.of()),
                "expected the pickle of a state_dict, found the opcode 105");
        assertRefused(
                TorchBytes.file(
                        dictionary()
                                .tensor("w", "ComplexFloatStorage", "0", 3, 0, of(3), of(1))
                                .end(),
                        Map.of("0", SIX)),
                "expected numbers of one of [torch BFloat16Storage, torch BoolStorage");
    }

    @Test
    void tensorsOutsideTheirStoragesAreRefused() {
        assertRefused(ofSix(sixAs(1, of(2, 3), of(3, 1))), "expected a tensor inside its storage of 6");
        assertRefused(
                ofSix(sixAs(6, of(), of())),
                "expected a tensor inside its storage of 6, found sizes [], strides [] from 6");
        assertRefused(ofSix(sixAs(0, of(100_000, 100_000), of(0, 0))), "expected a tensor inside its storage of 6");
        assertRefused(ofSix(sixAs(-1, of(2), of(1))), "expected a number from 0 to 2147483647, found -1");
        assertRefused(ofSix(sixAs(0, of(2, 3), of(3))), "breaks off or is damaged");
    }

    @Test
    void storagesMustBeThereAndWhole() {
        assertRefused(
                TorchBytes.file(sixAs(0, of(6), of(1)).end(), Map.of()),
                "expected an entry data/0, found none; copy or save it again");
        assertRefused(
                TorchBytes.file(sixAs(0, of(6), of(1)).end(), Map.of("0", floats(1))),
                "expected 24 bytes of the storage of \"w\", found 4; copy or save it again");
        assertRefused(
                TorchBytes.file(sixAs(0, of(6), of(1)).end(), Map.of("0", floats(1, 2, 3, 4, 5, 6, 7))),
                "expected at most 24 bytes in the entry data/0, found more");
    }

    @Test
    void otherFilesAreRefused() {
        assertThatThrownBy(() -> StateDictFile.read(folder.resolve("absent.bin")))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageEndingWith(
                        "absent.bin does not exist, expected a readable file; check the path or copy the file there");
        assertRefused(
                "pickle".getBytes(StandardCharsets.UTF_8), "expected a zip as torch.save writes it since PyTorch 1.6");
        assertRefused(TorchBytes.zip(Map.of("weights", SIX)), "expected a zip with a data.pkl as torch.save writes it");
        assertRefused(new byte[] {'P', 'K', 3, 4, 0}, "expected a zip as torch.save writes it, found a damaged one");
        assertRefused(
                TorchBytes.zip(
                        Map.of("data.pkl", dictionary().end(), "byteorder", "big".getBytes(StandardCharsets.UTF_8))),
                "expected little-endian numbers");
        assertRefused(
                TorchBytes.file(new byte[] {(byte) 0x80, 2, 'X', 9, 0, 0, 0, 'a'}, Map.of()),
                "expected a whole pickle, found one that breaks off or is damaged");
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2})
    void damagedPicklesNeverEndInAnotherError(long seed) {
        byte[] valid = dictionary()
                .tensor("rows", "FloatStorage", "0", 6, 0, of(2, 3), of(3, 1))
                .tensor("turned", "FloatStorage", "0", 6, 0, of(3, 2), of(1, 3))
                .end();

        Mutations.run(
                valid,
                seed,
                10_000,
                bytes -> new StateDictPickle(bytes, "damaged").read().forEach((name, view) -> {
                    view.shape();
                    if (view.storage().elements() == 6) {
                        view.rowMajor(new byte[6 * view.storage().type().bytes()]);
                    }
                }));
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {3})
    void damagedFilesNeverEndInAnotherError(long seed) {
        byte[] valid = ofSix(sixAs(0, of(2, 3), of(3, 1)));

        Mutations.run(valid, seed, 1_000, bytes -> {
            TensorSource file = read(bytes);
            file.names().forEach(name -> file.find(name).bytes());
        });
    }
}
