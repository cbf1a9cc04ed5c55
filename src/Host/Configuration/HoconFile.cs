using System.Text;
using System.Text.RegularExpressions;
using ActorTrainer.Model.Common;
using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace ActorTrainer.Host.Configuration;

/// <summary>One value of a configuration file.</summary>
/// <param name="Key">Path inside the file, e.g. <c>optim.lr</c>.</param>
/// <param name="Text">The value, without quotes; a list as <c>[2,2]</c>.</param>
/// <param name="Line">1-based line.</param>
/// <param name="Comment">Comment lines straight above, joined by spaces.</param>
public sealed record HoconEntry(string Key, string Text, int Line, string Comment);

/// <summary>
/// A configuration file in HOCON, kept to a strict shape: one key, section start or closing brace a line, values that are
/// words, quoted text or one-line lists. Akka's parser, which reads the values, forgives unclosed braces and stray words;
/// here they are refused.
/// </summary>
public sealed partial class HoconFile
{
    private HoconFile(string path, string heading, IReadOnlyList<HoconEntry> entries)
    {
        Path = path;
        Heading = heading;
        Entries = entries;
    }

    public string Path { get; }

    /// <summary>The first line's comment: what the file is for.</summary>
    public string Heading { get; }

    /// <summary>Values in the order of the file.</summary>
    public IReadOnlyList<HoconEntry> Entries { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="RefusedException">The file cannot be read or is broken; names file and line.</exception>
    public static HoconFile Read(string path)
    {
        try
        {
            return Parse(path, new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: the configuration file cannot be read: {e.Message}", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new RefusedException($"{path}: the configuration file is not UTF-8.", e);
        }
    }

    /// <summary>Reads text as the file <paramref name="path"/>.</summary>
    /// <exception cref="RefusedException">The text is broken; names file and line.</exception>
    public static HoconFile Parse(string path, string text)
    {
        var lines = text.Split('\n');
        var shape = Scan(path, lines);
        var heading = lines[0].TrimStart().StartsWith('#') ? lines[0].TrimStart().TrimStart('#').Trim() : "";
        if (shape.Count == 0)
        {
            return new HoconFile(path, heading, []);
        }

        Config values;
        try
        {
            values = ConfigurationFactory.ParseString(text);
        }
        catch (Exception e)
        {
            throw new RefusedException($"{path}: the configuration file is not HOCON: {e.Message}", e);
        }

        var read = Leaves(values.Root, "").ToHashSet();
        if (shape.FirstOrDefault(entry => !read.Contains(entry.Key)) is { } lost)
        {
            throw new RefusedException($"{path}({lost.Line}): '{lost.Key}' cannot be read as HOCON.");
        }

        return new HoconFile(path, heading, [.. shape.Select(entry => entry with { Text = Value(values, entry) })]);
    }

    /// <summary>Keys in order, with the text still as written.</summary>
    private static List<HoconEntry> Scan(string path, string[] lines)
    {
        var entries = new List<HoconEntry>();
        var open = new Stack<(string Section, int Line)>();
        var comment = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.StartsWith('#') || line.StartsWith("//", StringComparison.Ordinal))
            {
                comment.Add(line.TrimStart('#', '/').Trim());
                continue;
            }

            var prefix = open.Count == 0 ? "" : open.Peek().Section + ".";
            if (SectionStart().Match(line) is { Success: true } section)
            {
                open.Push((prefix + section.Groups["key"].Value, i + 1));
            }
            else if (SectionEnd().IsMatch(line))
            {
                if (!open.TryPop(out _))
                {
                    throw new RefusedException($"{path}({i + 1}): '}}' closes a section that was never opened.");
                }
            }
            else if (Assignment().Match(line) is { Success: true } assignment)
            {
                var key = prefix + assignment.Groups["key"].Value;
                if (entries.Find(entry => entry.Key == key) is { } twin)
                {
                    throw new RefusedException($"{path}({i + 1}): '{key}' is already set in line {twin.Line}; keep one of them.");
                }

                entries.Add(new HoconEntry(key, assignment.Groups["value"].Value, i + 1, string.Join(' ', comment)));
            }
            else if (line.Length > 0)
            {
                throw new RefusedException(
                    $"{path}({i + 1}): expected 'key = value', 'section {{', '}}' or a comment, found '{line}'. Text with spaces or signs needs quotes, a list stands in one line.");
            }

            comment.Clear();
        }

        return open.TryPeek(out var left) ? throw new RefusedException($"{path}({left.Line}): section '{left.Section}' is not closed: a '}}' is missing.") : entries;
    }

    private static string Value(Config values, HoconEntry entry) =>
        entry.Text.StartsWith('[') ? "[" + string.Join(",", values.GetStringList(entry.Key)) + "]" : values.GetString(entry.Key) ?? "";

    private static IEnumerable<string> Leaves(HoconValue value, string prefix) =>
        value.IsObject()
            ? value.GetObject().Items.SelectMany(item => Leaves(item.Value, prefix.Length == 0 ? item.Key : prefix + "." + item.Key))
            : [prefix];

    [GeneratedRegex(@"\A(?<key>[A-Za-z0-9_.-]+)\s*=?\s*\{\s*((#|//).*)?\z")]
    private static partial Regex SectionStart();

    [GeneratedRegex(@"\A\}\s*((#|//).*)?\z")]
    private static partial Regex SectionEnd();

    [GeneratedRegex(@"\A(?<key>[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)\s*[=:]\s*(?<value>""(\\[\\""]|[^""\\])*""|\[([A-Za-z0-9_.,\s-]|""[A-Za-z0-9_.:/-]*"")*\]|[A-Za-z0-9_./+-]+)\s*((#|//).*)?\z")]
    private static partial Regex Assignment();
}
