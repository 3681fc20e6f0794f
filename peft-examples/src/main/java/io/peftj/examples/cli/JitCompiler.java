package io.peftj.examples.cli;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.management.JMException;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps HotSpot's optimising compiler quiet in this process, by compiler directives (JEP 165).
 *
 * <p>Java only tells libtorch what to compute, so code of the fast compiler serves as well; but in its first half minute the optimising one takes a
 * third of a core from kernels that need all of them, and a core that is late keeps the others waiting.
 */
final class JitCompiler {
    private static final Logger LOGGER = LoggerFactory.getLogger(JitCompiler.class);
    private static final String DIRECTIVES = "[{match: \"*.*\", c2: {Exclude: true}}]";

    private JitCompiler() {}

    /** Does nothing where the virtual machine has no such directives. */
    static void spareTheProcessor() {
        try {
            Path file = Files.createTempFile("peft-directives", ".json");
            try {
                Files.writeString(file, DIRECTIVES);
                ManagementFactory.getPlatformMBeanServer()
                        .invoke(
                                new ObjectName("com.sun.management:type=DiagnosticCommand"),
                                "compilerDirectivesAdd",
                                new Object[] {new String[] {file.toString()}},
                                new String[] {String[].class.getName()});
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (JMException | IOException | RuntimeException e) {
            LOGGER.debug("this virtual machine takes no compiler directives", e);
        }
    }
}
