namespace Nacelle.Oci;

static class Numbers
{
    /// <exception cref="UserException">Not a whole number from 0 up.</exception>
    public static int Parse(string text, string option) =>
        int.TryParse(text, System.Globalization.NumberStyles.None, null, out int number) ? number : throw new UserException($"{option} is a whole number, not '{text}'");
}
