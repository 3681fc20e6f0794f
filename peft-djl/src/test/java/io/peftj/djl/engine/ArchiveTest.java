package io.peftj.djl.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;

class ArchiveTest {

    @Test
    void holdsTheMethodsAsTextOfOneClassUncompressed() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Archive.write("def double(self, x: Tensor) -> Tensor:\n  return x * 2.\n", out);
        Map<String, String> entries = entries(out.toByteArray());
        assertThat(entries.keySet())
                .containsExactly(
                        "kernels/data.pkl",
                        "kernels/constants.pkl",
                        "kernels/version",
                        "kernels/byteorder",
                        "kernels/code/__torch__.py");
        assertThat(entries.get("kernels/code/__torch__.py"))
                .startsWith("class Kernels(Module):\n  __parameters__ = []\n")
                .endsWith("  def double(self, x: Tensor) -> Tensor:\n    return x * 2.\n");
        assertThat(entries.get("kernels/version")).isEqualTo("10\n");
    }

    private static Map<String, String> entries(byte[] archive) throws IOException {
        Map<String, String> entries = new LinkedHashMap<>();
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(archive))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                assertThat(entry.getMethod()).isEqualTo(ZipEntry.STORED);
                entries.put(entry.getName(), new String(zip.readAllBytes(), StandardCharsets.ISO_8859_1));
            }
        }
        return entries;
    }
}
