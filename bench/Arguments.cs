using System.Globalization;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Bench;

/// <summary>Settings given as <c>key=value</c>.</summary>
public sealed class Arguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <exception cref="RefusedException">An argument is not <c>key=value</c>, or its key is none of <paramref name="keys"/>.</exception>
    public Arguments(IEnumerable<string> arguments, params string[] keys)
    {
        foreach (var argument in arguments)
        {
            var parts = argument.Split('=', 2);
            if (parts.Length != 2 || !keys.Contains(parts[0]))
            {
                throw new RefusedException($"'{argument}' is not understood; settings here are {string.Join(", ", keys.Select(key => $"{key}=…"))}.");
            }

            _values[parts[0]] = parts[1];
        }
    }

    public string Text(string key, string otherwise) => _values.GetValueOrDefault(key, otherwise);

    /// <exception cref="RefusedException">Not a whole number of at least 1.</exception>
    public int Number(string key, int otherwise) => !_values.TryGetValue(key, out var text) ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw new RefusedException($"{key}={text}: expected a whole number of at least 1.");
}
