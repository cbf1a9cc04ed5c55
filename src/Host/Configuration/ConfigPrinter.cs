using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ActorTrainer.Host.Configuration;

/// <summary>Writes a merged configuration for people and for programs.</summary>
public static class ConfigPrinter
{
    /// <summary>HOCON with the origin of each value as an aligned comment; reads back as the same values.</summary>
    public static string Print(ResolvedConfiguration resolved)
    {
        var lines = new List<(string Text, string Origin)>();
        var open = Array.Empty<string>();
        foreach (var value in resolved.Values)
        {
            var path = value.Key.Name.Split('.');
            var common = open.Zip(path[..^1], (before, now) => before == now).TakeWhile(same => same).Count();
            Close(lines, open.Length, common);
            if (common == 0 && path.Length > 1)
            {
                lines.Add(("", ""));
            }

            for (var depth = common; depth < path.Length - 1; depth++)
            {
                lines.Add((Indent(depth) + path[depth] + " {", ""));
            }

            open = path[..^1];
            lines.Add(($"{Indent(open.Length)}{path[^1]} = {value.Shown}", value.Origin));
        }

        Close(lines, open.Length, 0);
        var column = lines.Where(line => line.Origin.Length > 0).Max(line => line.Text.Length) + 2;
        var text = new StringBuilder();
        foreach (var (line, origin) in lines)
        {
            text.Append(origin.Length > 0 ? line.PadRight(column) + "# " + origin : line).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A few lines on what the configuration amounts to, as HOCON comments.</summary>
    public static string Summary(string command, RunConfiguration run)
    {
        var arch = run.Arch;
        var stages = run.Pipeline.Stages;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
             # actortrainer {command}: run folder {run.RunFolder}
             # {arch.ParameterCount:N0} parameters in {arch.Layers + 2} units (embedding, {arch.Layers} {(arch.Layers == 1 ? "layer" : "layers")}, head) over {stages} {(stages == 1 ? "stage" : "stages")}

             """).ReplaceLineEndings("\n");
    }

    /// <summary>One JSON object: full key → { value, origin }.</summary>
    public static string PrintJson(ResolvedConfiguration resolved)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach (var value in resolved.Values)
            {
                json.WriteStartObject(value.Key.Name);
                json.WritePropertyName("value");
                WriteValue(json, value);
                json.WriteString("origin", value.Origin);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void WriteValue(Utf8JsonWriter json, ConfigValue value)
    {
        switch (value.Value)
        {
            case string when value.Hidden:
                json.WriteStringValue(value.Shown.Trim('"'));
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case Enum:
                json.WriteStringValue(value.Text);
                break;
            default:
                json.WriteRawValue(value.Text);
                break;
        }
    }

    private static void Close(List<(string Text, string Origin)> lines, int from, int to)
    {
        for (var depth = from - 1; depth >= to; depth--)
        {
            lines.Add((Indent(depth) + "}", ""));
        }
    }

    private static string Indent(int depth) => new(' ', 2 * depth);
}
