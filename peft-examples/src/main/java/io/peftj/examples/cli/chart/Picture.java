package io.peftj.examples.cli.chart;

import io.peftj.core.PeftException;
import io.peftj.core.io.AtomicFiles;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Locale;
import javax.imageio.ImageIO;

/** A white picture to draw on, without a screen. */
final class Picture {
    static final int LINE = 16;
    static final Color TEXT = new Color(0x33, 0x33, 0x33);
    static final Color FAINT = new Color(0xDD, 0xDD, 0xDD);

    private final BufferedImage image;
    private final Graphics2D graphics;

    Picture(int width, int height) {
        System.setProperty("java.awt.headless", "true"); // before the toolkit starts: there is no screen to ask for
        image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, width, height);
        try {
            graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
            graphics.getFontMetrics();
        } catch (InternalError | RuntimeException e) { // what Java says where the system has no fonts
            throw new PeftException(
                    "a picture needs a font to write with, and this system has none (" + e.getMessage()
                            + "); install fontconfig and a font, or leave the picture out",
                    e);
        }
    }

    Graphics2D graphics() {
        return graphics;
    }

    /** Text that begins at a point. */
    void text(String text, int x, int y) {
        graphics.setColor(TEXT);
        graphics.drawString(text, x, y);
    }

    /** Text that ends at a point. */
    void textBefore(String text, int x, int y) {
        text(text, x - graphics.getFontMetrics().stringWidth(text), y);
    }

    /** Text around a point. */
    void textAround(String text, int x, int y) {
        text(text, x - graphics.getFontMetrics().stringWidth(text) / 2, y);
    }

    /** Numbers with as few digits as tell them apart in a picture. */
    static String number(double value) {
        return value == 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4)
                ? String.format(Locale.ROOT, "%.3g", value)
                        .replaceAll("(\\.\\d*?)0+$", "$1")
                        .replaceAll("\\.$", "")
                : String.format(Locale.ROOT, "%.1e", value);
    }

    /** Writes it to a file, which appears whole. */
    void write(Path file) {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", png);
        } catch (IOException e) {
            throw new PeftException("the picture could not be made: " + e.getMessage(), e);
        }
        AtomicFiles.write(file, out -> {
            ByteBuffer bytes = ByteBuffer.wrap(png.toByteArray());
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        });
    }
}
