// Verifies the cases of make_certs.c with Java's PKIX validator: Verify DIR
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

public class Verify {
    static List<X509Certificate> load(Path path) throws Exception {
        List<X509Certificate> all = new ArrayList<>();
        try (InputStream in = Files.newInputStream(path)) {
            for (var c : CertificateFactory.getInstance("X.509")
                    .generateCertificates(in))
                all.add((X509Certificate) c);
        }
        return all;
    }

    static void verify(Path dir, String anchor, String chain, String use)
            throws Exception {
        X509Certificate root = load(dir.resolve(anchor + ".pem")).get(0);
        List<X509Certificate> certs = load(dir.resolve(chain + ".pem"));

        PKIXParameters how = new PKIXParameters(
                Set.of(new TrustAnchor(root, null)));
        how.setRevocationEnabled(false);
        CertPathValidator.getInstance("PKIX").validate(
                CertificateFactory.getInstance("X.509")
                        .generateCertPath(certs), how);

        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("root", root);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        X509TrustManager manager =
                (X509TrustManager) factory.getTrustManagers()[0];
        X509Certificate[] array = certs.toArray(new X509Certificate[0]);
        if (use.equals("client"))
            manager.checkClientTrusted(array, "UNKNOWN");
        else
            manager.checkServerTrusted(array, "UNKNOWN");
    }

    public static void main(String[] args) throws Exception {
        Path dir = Path.of(args[0]);
        for (String line : Files.readAllLines(dir.resolve("cases"))) {
            String[] f = line.split(" ");
            if (f[6].contains("java"))
                continue;
            try {
                verify(dir, f[1], f[2], f[3]);
                System.out.println(f[0] + " good");
            } catch (Exception e) {
                System.out.println(f[0] + " bad " + e.getMessage());
            }
        }
    }
}
