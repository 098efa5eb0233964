import java.io.InputStream;
import java.net.URL;
import javax.net.ssl.HttpsURLConnection;

/** Get URL...: the text behind each, with the trust and the checks that Java
 *  has by default. */
public class Get {
    public static void main(String[] urls) {
        for (String url : urls) {
            try {
                HttpsURLConnection c =
                    (HttpsURLConnection)new URL(url).openConnection();
                try (InputStream in = c.getInputStream()) {
                    in.transferTo(System.out);
                }
            } catch (Exception e) {
                System.err.println(e);
                System.exit(1);
            }
        }
        System.out.flush();
    }
}
