import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Validates PDF files: arguments are pairs of a flavour (2a, 2b, ua1) and a file. Exit code 1 when any fails. */
public class Judge {
    public static void main(String[] args) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        boolean good = true;
        for (int n = 0; n + 1 < args.length; n += 2) {
            PDFAFlavour flavour = PDFAFlavour.byFlavourId(args[n]);
            try (FileInputStream in = new FileInputStream(args[n + 1]);
                 PDFAParser parser = Foundries.defaultInstance().createParser(in, flavour)) {
                PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false);
                ValidationResult result = validator.validate(parser);
                System.out.println(args[n] + " " + args[n + 1] + ": " + (result.isCompliant() ? "compliant" : "NOT compliant"));
                if (!result.isCompliant()) {
                    good = false;
                    int shown = 0;
                    for (TestAssertion assertion : result.getTestAssertions()) {
                        if (shown++ == 20) {
                            break;
                        }
                        System.out.println("  " + assertion.getRuleId().getClause() + "-" + assertion.getRuleId().getTestNumber()
                            + " " + assertion.getMessage() + " at " + assertion.getLocation().getContext());
                    }
                }
            }
        }
        System.exit(good ? 0 : 1);
    }
}
