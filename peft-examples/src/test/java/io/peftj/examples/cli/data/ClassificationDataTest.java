package io.peftj.examples.cli.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.peftj.core.InvalidFileException;
import io.peftj.djl.train.LabelledText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClassificationDataTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"banking77, 10003, 3080, 77", "snips, 2100, 700, 7", "e2e_nlg, 3000, 2000, 7", "blimp, 5360, 2680, 2"})
    void realDataSetsHaveTheirRowsAndClasses(String name, int train, int test, int classes) {
        Path data = Path.of(System.getProperty("peft.reference.dir", "../../shared"), "data", name);
        assumeTrue(Files.isDirectory(data), "no reference material; set -Dpeft.reference.dir");

        ClassificationData rows = ClassificationData.read(data);

        assertThat(rows.train()).hasSize(train);
        assertThat(rows.test()).hasSize(test);
        assertThat(rows.labels()).hasSize(classes);
    }

    @Test
    void aPriceRangeIsReadFromTheFacts() throws IOException {
        write("devset.csv", "mr,ref\n\"name[A], priceRange[less than $20]\",A is cheap.\n\"name[B], area[x]\",B is.\n");
        write("testset_w_refs.csv", "mr,ref\n\"priceRange[high], name[C]\",C is dear.\n");

        ClassificationData rows = ClassificationData.read(folder);

        assertThat(rows.train())
                .containsExactly(new LabelledText("A is cheap.", "less than $20"), new LabelledText("B is.", "none"));
        assertThat(rows.test()).containsExactly(new LabelledText("C is dear.", "high"));
    }

    @Test
    void snipsPiecesAreJoinedAndReadAsLatin1() throws IOException {
        String json = "{\"GetWeather\": [{\"data\": [{\"text\": \"M\u00e9t\u00e9o \"}, {\"text\": \"in Nice \"}]}]}";
        for (String split : List.of("train", "validate")) {
            Files.write(folder.resolve(split + "_GetWeather.json"), json.getBytes(StandardCharsets.ISO_8859_1));
        }

        ClassificationData rows = ClassificationData.read(folder);

        assertThat(rows.train()).containsExactly(new LabelledText("M\u00e9t\u00e9o in Nice", "GetWeather"));
        assertThat(rows.test()).isEqualTo(rows.train());
    }

    @Test
    void bothSentencesOfABlimpPairAreRows() throws IOException {
        String pair = "{\"sentence_good\": \"He sleeps.\", \"sentence_bad\": \"He sleep.\"}\n";
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(folder.resolve("BLiMP.zip")))) {
            zip.putNextEntry(new ZipEntry("__MACOSX/data/one.jsonl"));
            zip.putNextEntry(new ZipEntry("data/one.jsonl"));
            zip.write(pair.getBytes(StandardCharsets.UTF_8));
        }

        ClassificationData rows = ClassificationData.read(folder);

        assertThat(rows.train())
                .containsExactly(
                        new LabelledText("He sleeps.", "acceptable"), new LabelledText("He sleep.", "unacceptable"));
    }

    @Test
    void theFirstRowsOfEachClassAreKept() throws IOException {
        write("train.csv", "text,category\n1,a\n2,b\n3,a\n4,a\n5,b\n6,b\n");
        write("test.csv", "text,category\n7,a\n");

        ClassificationData rows = ClassificationData.read(folder).perClass(2);

        assertThat(rows.train()).extracting(LabelledText::text).containsExactly("1", "2", "3", "5");
        assertThat(rows.test()).hasSize(1);
    }

    @Test
    void settingsAreChosenOnTrainingRowsAlone() throws IOException {
        StringBuilder train = new StringBuilder("text,category\n");
        for (int row = 0; row < 42; row++) {
            train.append(row).append(",a\n");
        }
        write("train.csv", train.toString());
        write("test.csv", "text,category\nnot seen,a\n");
        ClassificationData all = ClassificationData.read(folder);

        ClassificationData rows = all.development();

        assertThat(rows.train()).hasSize(10).isSubsetOf(all.train());
        assertThat(rows.test()).hasSize(10).isSubsetOf(all.train()).doesNotContainAnyElementsOf(rows.train());
        assertThat(all.development()).isEqualTo(rows);
    }

    @Test
    void aFolderOfSomethingElseIsRefused() {
        assertThatThrownBy(() -> ClassificationData.read(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected the files of banking77 (train.csv)");
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }
}
