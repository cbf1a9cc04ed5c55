using System.Text.Json;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>Documents of files with one JSON object per line.</summary>
internal static class JsonlDocuments
{
    /// <summary>Reads the documents of a file one by one; blank lines and empty texts are passed over.</summary>
    /// <exception cref="RefusedException">A line is not JSON, not an object, or has no such string field; names file and line.</exception>
    public static IEnumerable<Document> Read(string file, string field) =>
        from line in Utf8Lines.Read(file)
        where !string.IsNullOrWhiteSpace(line.Text)
        let text = Text(line, field, file)
        where !string.IsNullOrWhiteSpace(text)
        select new Document(text, file, line.Number, line.Bytes);

    private static string Text(TextLine line, string field, string file)
    {
        try
        {
            using var json = JsonDocument.Parse(line.Text);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw Refuse($"expected a JSON object, found {Kind(root)}");
            }

            if (!root.TryGetProperty(field, out var value))
            {
                var names = root.EnumerateObject().Select(property => property.Name).ToList();
                var nearest = NearestName.Of(field, names);
                throw Refuse(
                    $"no field \"{field}\" (data.json_field); found {(names.Count == 0 ? "none" : string.Join(", ", names.Take(8)))}"
                    + (nearest is null ? "" : $"; nearest: {nearest}"));
            }

            return value.ValueKind == JsonValueKind.String
                ? value.GetString()!
                : throw Refuse($"field \"{field}\" must be a string, found {Kind(value)}");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped surrogate without its pair.
            throw new RefusedException($"{file}, line {line.Number}: not valid JSON: {e.Message}", e);
        }

        RefusedException Refuse(string what) => new($"{file}, line {line.Number}: {what}.");
    }

    private static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };
}
