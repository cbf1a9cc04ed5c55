namespace ActorTrainer.Model.Tokenization;

/// <summary>What happens to text before it is cut into words.</summary>
public abstract record NormaliserSettings
{
    private NormaliserSettings()
    {
    }

    /// <summary>Text stays as it is.</summary>
    public sealed record None : NormaliserSettings;

    /// <summary>
    /// The normaliser of crammed BERT (Geiping and Goldstein, 2023): the quotes <c>``</c> and <c>''</c> become <c>"</c>, NFD, lower case,
    /// accents stripped, runs of spaces collapsed, every character outside ASCII dropped (also no-break spaces and long dashes, so the
    /// words beside them join).
    /// </summary>
    public sealed record Crammed : NormaliserSettings;

    /// <summary>
    /// The normaliser of BERT (Devlin et al., 2019) as Hugging Face's fast tokenizers carry it out: cleaning, spaces around ideographs,
    /// accents (Mn after NFD) stripped, lower case, in this order.
    /// </summary>
    /// <param name="CleanText">Remove controls, make every white space a space.</param>
    /// <param name="HandleChinese">Set CJK ideographs apart.</param>
    /// <param name="Lowercase">Lower-case the text.</param>
    /// <param name="StripAccents">Strip accents; null: when lower-casing.</param>
    public sealed record Bert(bool CleanText = true, bool HandleChinese = true, bool Lowercase = true, bool? StripAccents = null)
        : NormaliserSettings;
}

/// <summary>How normalised text is cut into words.</summary>
public enum PreTokeniser
{
    /// <summary>At white space, and every punctuation character on its own: BERT.</summary>
    Bert,

    /// <summary>Runs of word characters and runs of other non-space characters, <c>\w+|[^\w\s]+</c>: crammed BERT, Hugging Face's Whitespace.</summary>
    Whitespace,

    /// <summary>At white space only.</summary>
    WhitespaceSplit,
}

/// <summary>Everything besides the vocabulary that decides an encoding.</summary>
/// <param name="Normaliser">What happens to text first.</param>
/// <param name="PreTokeniser">How it is cut into words.</param>
/// <param name="MaxWordCharacters">Words of more Unicode characters become the unknown token.</param>
public sealed record TokenizerSettings(NormaliserSettings Normaliser, PreTokeniser PreTokeniser, int MaxWordCharacters = 100)
{
    /// <summary>Crammed BERT: its normaliser and Whitespace. Vocabularies trained by this project use it unless told otherwise.</summary>
    public static readonly TokenizerSettings Crammed = new(new NormaliserSettings.Crammed(), PreTokeniser.Whitespace);

    /// <summary>BERT, uncased.</summary>
    public static readonly TokenizerSettings BertUncased = new(new NormaliserSettings.Bert(), PreTokeniser.Bert);

    /// <summary>BERT, cased.</summary>
    public static readonly TokenizerSettings BertCased = new(new NormaliserSettings.Bert(Lowercase: false), PreTokeniser.Bert);
}
