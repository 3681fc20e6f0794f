package io.peftj.core;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** What this library says of itself in files. */
public final class Library {
    private static final String RESOURCE = "library.properties";

    private Library() {}

    /** Its version, such as "0.1.0". */
    public static String version() {
        Properties properties = new Properties();
        try (InputStream in = Library.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException("the library's jar lacks its " + RESOURCE + "; build it with Maven");
            }
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException("the library's " + RESOURCE + " could not be read", e);
        }
        return properties.getProperty("version");
    }
}
