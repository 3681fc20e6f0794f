package io.peftj.djl.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextFilesTest {
    @TempDir
    Path folder;

    @Test
    void csvFieldsMayHoldCommasQuotesAndLines() throws IOException {
        List<TextRow> rows =
                TextFiles.read(write("rows.csv", "text,label\r\n\"one, \"\"two\"\"\nthree\",a\r\nfour,b\r\n"));

        assertThat(rows).hasSize(2);
        assertThat(rows.get(0).get("text")).isEqualTo("one, \"two\"\nthree");
        assertThat(rows.get(1).get("label")).isEqualTo("b");
    }

    @Test
    void aByteOrderMarkIsNoPartOfTheFirstColumnsName() throws IOException {
        List<TextRow> rows = TextFiles.read(write("rows.csv", "\uFEFFtext,label\nn\u00e9,a\n"));

        assertThat(rows.get(0).get("text")).isEqualTo("n\u00e9");
    }

    @Test
    void jsonLinesMayHoldNumbersAndOtherKeys() throws IOException {
        List<TextRow> rows = TextFiles.read(
                write("rows.jsonl", "{\"text\": \"a\", \"label\": 3, \"more\": [1]}\n\n{\"text\": \"b\"}\n"));

        assertThat(rows).hasSize(2);
        assertThat(rows.get(0).get("label")).isEqualTo("3");
        assertThat(rows.get(0).has("more")).isFalse();
        assertThat(rows.get(1).place()).isEqualTo("rows.jsonl, line 3");
    }

    @Test
    void aRowWithTooManyFieldsIsRefused() throws IOException {
        Path file = write("rows.csv", "text,label\none,two,three\n");

        assertThatThrownBy(() -> TextFiles.read(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(
                        "rows.csv, row 1: expected 2 fields for the columns [text, label], found 3; put quotes around"
                                + " fields with commas");
    }

    @Test
    void aMissingColumnIsNamedWithThoseThatAreThere() throws IOException {
        TextRow row = TextFiles.read(write("rows.csv", "text,class\na,b\n")).get(0);

        assertThatThrownBy(() -> row.get("label"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith("rows.csv, row 1: expected a column \"label\", found [text, class]");
    }

    @Test
    void anUnclosedQuoteIsRefused() throws IOException {
        Path file = write("rows.csv", "text,label\n\"one,two\n");

        assertThatThrownBy(() -> TextFiles.read(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(
                        "rows.csv, row 1: expected a quote that closes the field \"\"one,two\n\", found the end of the file;"
                                + " close it, and double quotes inside fields");
    }

    @Test
    void bytesThatAreNotUtf8AreRefused() throws IOException {
        Path file = Files.write(
                folder.resolve("rows.csv"), "text,label\nn\u00e9,a\n".getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> TextFiles.read(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("rows.csv could not be read: bytes that are not UTF-8");
    }

    @Test
    void damagedJsonIsRefusedWithItsLine() throws IOException {
        Path file = write("rows.jsonl", "{\"text\": \"a\"}\n{\"text\": \n");

        assertThatThrownBy(() -> TextFiles.read(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("rows.jsonl, line 2");
    }

    @Test
    void aFileWithoutRowsIsRefused() throws IOException {
        Path file = write("rows.csv", "text,label\n");

        assertThatThrownBy(() -> TextFiles.read(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("rows.csv: expected at least one row, found none; add rows");
    }

    @Test
    void anUnknownKindOfFileIsRefused() throws IOException {
        Path file = write("rows.tsv", "a\tb\n");

        assertThatThrownBy(() -> TextFiles.read(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected a name that ends in .csv or .jsonl");
    }

    @Test
    void aMissingFileIsRefused() {
        assertThatThrownBy(() -> TextFiles.read(folder.resolve("nowhere.csv")))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageEndingWith("nowhere.csv does not exist; check the path");
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }
}
