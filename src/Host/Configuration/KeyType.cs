using System.Globalization;
using System.Text.RegularExpressions;

namespace ActorTrainer.Host.Configuration;

/// <summary>What values a key may have, and how they are written.</summary>
public abstract record KeyType
{
    /// <summary>Allowed values in words, as in the brackets of reference.conf.</summary>
    public abstract string Domain { get; }

    /// <summary>Reads a value; null when it is fine, otherwise what is wrong with it, to follow the value in a sentence.</summary>
    public abstract string? Parse(string text, out object value);

    /// <summary>Writes a value as HOCON that <see cref="Parse"/> reads back.</summary>
    public abstract string Format(object value);

    /// <summary>The spelling probably meant, for types that list their values.</summary>
    public virtual string? Nearest(string text) => null;

    /// <summary>"1 to 8", "1 or more", "above 0", "0 to below 1".</summary>
    private protected static string Range(string? min, bool minOpen, string? max, bool maxOpen) =>
        (minOpen ? "above " : "") + min + (max is null ? (minOpen ? "" : " or more") : (maxOpen ? " to below " : " to ") + max);
}

/// <summary>A whole number in [<paramref name="Min"/>, <paramref name="Max"/>]; <see cref="int.MaxValue"/> = no upper bound.</summary>
public sealed record WholeType(int Min, int Max = int.MaxValue) : KeyType
{
    public override string Domain =>
        "whole number, " + Range(Min.ToString(CultureInfo.InvariantCulture), false, Max == int.MaxValue ? null : Max.ToString(CultureInfo.InvariantCulture), false);

    public override string? Parse(string text, out object value)
    {
        value = 0;
        if (!decimal.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return "is not a whole number";
        }

        if (number < Min || number > Max)
        {
            return "is out of range";
        }

        value = (int)number;
        return null;
    }

    public override string Format(object value) => ((int)value).ToString(CultureInfo.InvariantCulture);
}

/// <summary>A seed: any unsigned 64-bit number.</summary>
public sealed record SeedType : KeyType
{
    public override string Domain => $"whole number, 0 to {ulong.MaxValue}";

    public override string? Parse(string text, out object value)
    {
        var fine = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        value = number;
        return fine ? null : text.Length > 0 && text.TrimStart('-').All(char.IsAsciiDigit) && text != "-" ? "is out of range" : "is not a whole number";
    }

    public override string Format(object value) => ((ulong)value).ToString(CultureInfo.InvariantCulture);
}

/// <summary>A finite number; the bounds belong to the range unless they are open.</summary>
public sealed record NumberType(double Min, double Max = double.PositiveInfinity, bool MinOpen = false, bool MaxOpen = false) : KeyType
{
    public override string Domain => "number, " + Range(Text(Min), MinOpen, double.IsInfinity(Max) ? null : Text(Max), MaxOpen);

    public override string? Parse(string text, out object value)
    {
        var fine = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number);
        value = number;
        if (!fine || !double.IsFinite(number))
        {
            return "is not a finite number";
        }

        return number < Min || number > Max || (MinOpen && number == Min) || (MaxOpen && number == Max) ? "is out of range" : null;
    }

    public override string Format(object value) => Text((double)value);

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture).Replace("E-0", "e-").Replace('E', 'e');
}

/// <summary>On or off.</summary>
public sealed record SwitchType : KeyType
{
    public override string Domain => "true or false";

    public override string? Parse(string text, out object value)
    {
        var on = text.ToLowerInvariant() is "true" or "yes" or "on";
        value = on;
        return on || text.ToLowerInvariant() is "false" or "no" or "off" ? null : "is neither true nor false";
    }

    public override string Format(object value) => (bool)value ? "true" : "false";

    public override string? Nearest(string text) => Spelling.Nearest(text, ["true", "false"]);
}

/// <summary>Text, by default of any kind.</summary>
public sealed partial record TextType(string Domain = "text", bool MayBeEmpty = true, string? Pattern = null) : KeyType
{
    public override string Domain { get; } = Domain;

    public override string? Parse(string text, out object value)
    {
        value = text;
        if (text.Length == 0)
        {
            return MayBeEmpty ? null : "is empty";
        }

        return text.Any(char.IsControl) ? "has a control character"
            : Pattern is not null && !Regex.IsMatch(text, Pattern, RegexOptions.CultureInvariant) ? "is not allowed"
            : null;
    }

    public override string Format(object value) => Quote((string)value);

    /// <summary>Plain words stand as they are, everything else in quotes.</summary>
    private static string Quote(string text) =>
        Plain().IsMatch(text) && !text.Contains("//", StringComparison.Ordinal) ? text : "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";

    [GeneratedRegex(@"\A[A-Za-z0-9_./][A-Za-z0-9_./+-]*\z")]
    private static partial Regex Plain();
}

/// <summary>One of some words.</summary>
public sealed record ChoiceType(IReadOnlyList<(string Word, Enum Value)> Choices) : KeyType
{
    public override string Domain => string.Join(", ", Choices.Select(choice => choice.Word));

    public override string? Parse(string text, out object value)
    {
        var found = Choices.FirstOrDefault(choice => choice.Word.Equals(text, StringComparison.OrdinalIgnoreCase));
        value = found.Value ?? Choices[0].Value;
        return found.Value is null ? "is not one of the choices" : null;
    }

    public override string Format(object value) => Choices.First(choice => choice.Value.Equals(value)).Word;

    public override string? Nearest(string text) => Spelling.Nearest(text, Choices.Select(choice => choice.Word));
}

/// <summary>One of some names that no enumeration has.</summary>
public sealed record NameType(IReadOnlyList<string> Names) : KeyType
{
    public override string Domain => string.Join(", ", Names);

    public override string? Parse(string text, out object value)
    {
        var found = Names.FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
        value = found ?? Names[0];
        return found is null ? "is not one of the choices" : null;
    }

    public override string Format(object value) => (string)value;

    public override string? Nearest(string text) => Spelling.Nearest(text, Names);
}

/// <summary>Positive whole numbers in brackets, or none: <c>[2,2]</c>, <c>[]</c>.</summary>
public sealed record WholeListType : KeyType
{
    public override string Domain => "list of whole numbers, e.g. [2,2]";

    public override string? Parse(string text, out object value)
    {
        value = Array.Empty<int>();
        var inner = text.Trim();
        if (inner.Length < 2 || inner[0] != '[' || inner[^1] != ']')
        {
            return "is not a list in brackets";
        }

        inner = inner[1..^1].Trim();
        if (inner.Length == 0)
        {
            return null;
        }

        var numbers = new List<int>();
        foreach (var part in inner.Split(','))
        {
            if (!int.TryParse(part.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
            {
                return $"has '{part.Trim()}' where a whole number of 1 or more belongs";
            }

            numbers.Add(number);
        }

        value = numbers.ToArray();
        return null;
    }

    public override string Format(object value) => "[" + string.Join(",", (IEnumerable<int>)value) + "]";
}

/// <summary>Words in brackets, or none: <c>["a:4100","b:4100"]</c>, <c>[]</c>. Quotes and, for one line of words, brackets may be left out.</summary>
/// <param name="Domain">Allowed values in words.</param>
/// <param name="What">What an element is, in a complaint.</param>
/// <param name="IsElement">Whether a word may stand in the list.</param>
public sealed record TextListType(string Domain, string What, Func<string, bool> IsElement) : KeyType
{
    /// <summary>Addresses of nodes: host:port.</summary>
    public static TextListType Addresses { get; } = new("list of host:port, e.g. [\"10.0.0.1:4100\"]", "host:port", IsAddress);

    /// <summary>Some of a few words.</summary>
    /// <param name="what">What they are.</param>
    /// <param name="words">The words.</param>
    public static TextListType Of(string what, IReadOnlyList<string> words) =>
        new($"list of {what}: {string.Join(", ", words)}", "one of " + string.Join(", ", words), words.Contains);

    public override string Domain { get; } = Domain;

    public override string? Parse(string text, out object value)
    {
        value = Array.Empty<string>();
        var inner = text.Trim();
        if (inner.StartsWith('[') != inner.EndsWith(']') || inner == "[")
        {
            return "has only one bracket";
        }

        inner = (inner.StartsWith('[') ? inner[1..^1] : inner).Trim();
        if (inner.Length == 0)
        {
            return null;
        }

        var words = inner.Split(',').Select(word => word.Trim()).Select(word => word.Length > 1 && word[0] == '"' && word[^1] == '"' ? word[1..^1] : word).ToArray();
        if (words.FirstOrDefault(word => !IsElement(word)) is { } wrong)
        {
            return $"has '{wrong}' where {What} belongs";
        }

        value = words;
        return null;
    }

    public override string Format(object value) => "[" + string.Join(",", ((IEnumerable<string>)value).Select(word => $"\"{word}\"")) + "]";

    private static bool IsAddress(string word)
    {
        var colon = word.LastIndexOf(':');
        return colon > 0
            && word[..colon].All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ':' or '[' or ']')
            && int.TryParse(word.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536;
    }
}
