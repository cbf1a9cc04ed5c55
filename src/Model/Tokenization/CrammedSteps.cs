using System.Text.Json;

namespace ActorTrainer.Model.Tokenization;

/// <summary>The normaliser of crammed BERT spelt as a Sequence of Hugging Face's components.</summary>
internal static class CrammedSteps
{
    /// <summary>The components in order, with pattern and content where they replace.</summary>
    public static readonly IReadOnlyList<NormaliserStep> All =
    [
        new("Replace", "String", "``", "\""),
        new("Replace", "String", "''", "\""),
        new("NFD"),
        new("Lowercase"),
        new("StripAccents"),
        new("Replace", "Regex", " {2,}", " "),
        new("Replace", "Regex", @"[^\x00-\x7F]+", ""),
    ];
}

/// <summary>One component of a normaliser; <paramref name="Kind"/> ("String" or "Regex") and what follows only where it replaces.</summary>
internal sealed record NormaliserStep(string Type, string? Kind = null, string? Pattern = null, string? Content = null)
{
    /// <summary>Reads a component.</summary>
    /// <exception cref="InvalidOperationException">The element is not of the format.</exception>
    public static NormaliserStep Read(JsonElement element)
    {
        var type = Text(element, "type");
        if (type != "Replace")
        {
            return new NormaliserStep(type);
        }

        var pattern = element.TryGetProperty("pattern", out var found) ? found.EnumerateObject().FirstOrDefault() : default;
        return pattern.Value.ValueKind == JsonValueKind.String
            ? new NormaliserStep(type, pattern.Name, pattern.Value.GetString(), Text(element, "content"))
            : throw new InvalidOperationException("a Replace normalizer needs a 'pattern' with a String or a Regex.");
    }

    /// <summary>Writes the component as a JSON object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", Type);
        if (Kind is not null)
        {
            json.WriteStartObject("pattern");
            json.WriteString(Kind, Pattern);
            json.WriteEndObject();
            json.WriteString("content", Content);
        }

        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public override string ToString() => Kind is null ? Type : $"{Type} {Kind} '{Pattern}' by '{Content}'";

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.GetString() is { } text
        ? text
        : throw new InvalidOperationException($"a normalizer lacks '{name}'.");
}
