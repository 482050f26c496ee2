using System.Text;

namespace Nacelle.Flavors;

/// <summary>Texts in unit files, so that systemd reads what was meant. See systemd.syntax(7), "Quoting", and systemd.service(5), "Command lines".</summary>
static class SystemdText
{
    /// <summary>A word of a command line, quoted; neither specifiers nor variables are expanded in it.</summary>
    public static string Argument(string text) => $"\"{Escape(text).Replace("%", "%%", StringComparison.Ordinal).Replace("$", "$$", StringComparison.Ordinal)}\"";

    /// <summary>The value of a setting that knows specifiers, on one line.</summary>
    public static string Specifier(string text) => new StringBuilder(text).Replace("%", "%%").Replace('\n', ' ').ToString();

    /// <summary>A line of an environment file from NAME=VALUE. See systemd.exec(5), "EnvironmentFile".</summary>
    public static string Variable(string variable)
    {
        int equals = variable.IndexOf('=');
        var value = variable[(equals + 1)..].Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("$", "\\$", StringComparison.Ordinal).Replace("`", "\\`", StringComparison.Ordinal);
        return $"{variable[..equals]}=\"{value}\"\n";
    }

    static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (char letter in text)
        {
            escaped.Append(letter switch
            {
                '\\' => "\\\\",
                '"' => "\\\"",
                '\n' => "\\n",
                '\t' => "\\t",
                < ' ' or '\u007f' => $"\\x{(int)letter:x2}",
                _ => letter.ToString(),
            });
        }

        return escaped.ToString();
    }
}
