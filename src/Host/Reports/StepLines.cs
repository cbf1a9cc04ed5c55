using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Reports;

/// <summary>
/// A file of one JSON object per line, each with a <c>step</c>, that survives kills: lines are handed to the system one by
/// one, a last line cut short by a kill is ignored by readers and removed by the next writer.
/// </summary>
internal sealed class StepLines : IDisposable
{
    private readonly string _path;
    private FileStream? _stream;

    /// <summary>Opens or makes the file and repairs its end.</summary>
    /// <exception cref="RefusedException">A line before the last one is not a JSON object with a step.</exception>
    public StepLines(string path)
    {
        _path = path;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        Keep(long.MaxValue);
    }

    /// <summary>Appends one object and hands it to the operating system, so that only a power cut can lose it.</summary>
    public void Append(JsonObject line)
    {
        _stream ??= Open();
        var text = Encoding.UTF8.GetBytes(line.ToJsonString(ReportJson.Line) + "\n");
        _stream.Write(text);
        _stream.Flush();
    }

    /// <summary>Removes the lines of steps after <paramref name="step"/>; readers see either the old file or the new one.</summary>
    public void DropAfter(long step) => Keep(step);

    public void Dispose()
    {
        _stream?.Dispose();
        _stream = null;
    }

    /// <summary>The objects of a file with their steps, in file order; none when the file does not exist.</summary>
    /// <exception cref="RefusedException">A line before the last one is not a JSON object with a step.</exception>
    public static IEnumerable<(long Step, JsonObject Value)> Read(string path) => Parse(path).Select(l => (l.Step, l.Value));

    private void Keep(long step)
    {
        Dispose();
        if (!File.Exists(_path))
        {
            return;
        }

        var bytes = 0L;
        var all = true;
        var kept = new List<string>();
        foreach (var line in Parse(_path))
        {
            bytes += Encoding.UTF8.GetByteCount(line.Text) + 1;
            all &= line.Step <= step;
            if (line.Step <= step)
            {
                kept.Add(line.Text);
            }
        }

        if (!all || bytes != new FileInfo(_path).Length)
        {
            AtomicFile.Write(_path, stream =>
            {
                using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
                kept.ForEach(writer.WriteLine);
            });
        }
    }

    private FileStream Open() => new(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    private static IEnumerable<(long Step, string Text, JsonObject Value)> Parse(string path)
    {
        if (!File.Exists(path))
        {
            yield break;
        }

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var number = 0;
        for (var text = reader.ReadLine(); text is not null; number++)
        {
            var next = reader.ReadLine();
            if (TryParse(text) is { } line)
            {
                yield return (line.Step, text, line.Value);
            }
            else if (next is not null)
            {
                throw new RefusedException(
                    $"{path}, line {number + 1}: expected a JSON object with a \"step\", found {Excerpt(text)}. Remove the line or the file.");
            }

            text = next;
        }
    }

    private static (long Step, JsonObject Value)? TryParse(string text)
    {
        try
        {
            return JsonNode.Parse(text) is JsonObject value && value["step"] is JsonValue step && step.TryGetValue<long>(out var number)
                ? (number, value)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Excerpt(string text) => text.Length switch
    {
        0 => "an empty line",
        <= 60 => $"\"{text}\"",
        _ => $"\"{text[..60]}…\"",
    };
}
