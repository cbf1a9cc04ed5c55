namespace ActorTrainer.Model.Data;

/// <summary>What documents of one subject speak of; the most frequent words come first. Nouns and verbs are regular.</summary>
internal sealed record SampleTopic(string[] Nouns, string[] Verbs, string[] Adjectives, string[] Places, string[] Trades)
{
    /// <summary>Plural of a regular noun.</summary>
    public static string Plural(string noun) => WithS(noun);

    /// <summary>Third person singular of a regular verb.</summary>
    public static string Third(string verb) => WithS(verb);

    /// <summary>Past of a regular verb.</summary>
    public static string Past(string verb) => verb switch
    {
        [.., 'e'] => verb + "d",
        [.. var stem, 'y'] when !IsVowel(stem[^1]) => string.Concat(stem, "ied"),
        _ => verb + "ed",
    };

    /// <summary>"a" or "an" with the word.</summary>
    public static string WithArticle(string word) => (IsVowel(word[0]) ? "an " : "a ") + word;

    private static string WithS(string word) => word switch
    {
        [.., 's' or 'x' or 'z'] or [.., 'c' or 's', 'h'] => word + "es",
        [.. var stem, 'y'] when !IsVowel(stem[^1]) => string.Concat(stem, "ies"),
        _ => word + "s",
    };

    private static bool IsVowel(char letter) => "aeiou".Contains(letter);
}

/// <summary>The words of the sample text.</summary>
internal static class SampleWords
{
    public static readonly SampleTopic[] Topics =
    [
        Topic(
            "ship sailor harbour wave anchor storm captain island rope lantern net crew deck tide mast coast",
            "anchor repair load steer cross follow watch board launch paint", "calm salty deep distant narrow sturdy wooden grey rough open",
            "pier lighthouse bay shipyard strait", "pilot fisher navigator"),
        Topic(
            "farmer field horse barn crop fence goat plough seed cow tractor harvest orchard well cart hen",
            "plant harvest water gather fence tend sow plough weed rent", "green fertile dry ripe muddy heavy quiet golden broad early",
            "meadow valley farmyard stable mill", "shepherd gardener beekeeper"),
        Topic(
            "cook kitchen soup oven bowl recipe pepper onion plate spoon guest pan lemon sauce cake apron",
            "cook taste mix serve slice bake season boil order prepare", "hot sweet sour fresh bitter crisp warm spicy clean tender",
            "restaurant bakery tavern cellar pantry", "baker butcher waiter"),
        Topic(
            "song violin player concert piano drum melody singer stage choir note rhythm audience flute string composer",
            "play record compose rehearse perform enjoy tune repeat admire learn", "loud soft slow famous gentle lively solemn bright modern simple",
            "theatre opera studio chapel hall", "musician conductor dancer"),
        Topic(
            "train station engine bridge signal passenger track tunnel driver ticket platform wagon timetable whistle rail guard",
            "delay board signal repair couple inspect cross reverse extend miss", "fast late crowded local northern electric rusty express long empty",
            "depot junction terminus viaduct siding", "conductor signaller mechanic"),
        Topic(
            "teacher school lesson pupil book question desk letter class answer exam page pencil word window bell",
            "praise answer explain study correct learn copy finish ask discuss", "young clever difficult patient strict short curious helpful wrong careful",
            "library classroom playground college hall", "tutor librarian student"),
        Topic(
            "star planet telescope comet moon orbit galaxy observer lens sky eclipse mirror map rocket crater signal",
            "observe measure chart discover predict record orbit photograph study compare", "bright distant faint cold round massive dark red unknown small",
            "observatory desert mountain plateau dome", "astronomer physicist engineer"),
        Topic(
            "doctor patient nurse hospital fever medicine wound bandage heart bed needle treatment disease remedy pulse bone",
            "treat examine cure visit bandage test warn save help dress", "sick healthy painful weak mild serious rare tired strong sterile",
            "clinic ward pharmacy surgery infirmary", "surgeon chemist midwife"),
        Topic(
            "merchant market price coin customer stall silk shop debt spice scale bank basket profit trader contract",
            "trade order weigh pack offer deliver count collect borrow price", "cheap rich costly fair decent foreign busy poor rare generous",
            "square bazaar warehouse port exchange", "broker tailor jeweller"),
        Topic(
            "tree forest bird bear river path hunter owl branch fox acorn stone root nest badger stream",
            "follow climb track gather chase frighten watch protect cross approach", "tall wild silent old shady thick hollow swift brown damp",
            "clearing hill lake swamp ridge", "ranger woodcutter trapper"),
        Topic(
            "tower wall house roof mason brick door architect stone beam hammer floor column garden arch ladder",
            "plaster repair design paint measure demolish raise lift finish restore", "high solid ancient square broken white grand new hollow plain",
            "castle cathedral street quarry courtyard", "carpenter plumber glazier"),
        Topic(
            "king soldier army battle sword treaty queen fortress general shield enemy banner border siege crown envoy",
            "attack defend conquer capture crown betray obey surround rule pardon", "brave loyal bitter royal cruel famous weary secret proud mighty",
            "palace fort camp capital frontier", "knight herald historian"),
    ];

    public static readonly string[] FirstNames = Words(
        "Anna Clara Edith Flora Grace Helen Irene Julia Laura Martha Nora Olive Rosa Sarah Vera Agnes "
        + "Arthur Bernard Conrad David Edmund Frank George Hugo Ivan Jacob Leon Martin Oscar Peter Simon Victor");

    public static readonly string[] Onsets = Words("B Br D Dal F Fen G Gar H Hal K Kel L Lor M Mar N Nor P Per R Ros S Stan T Tor V Wes W Win");

    public static readonly string[] Middles = Words("a e i o u ar en il or un al em is ol ur and er ing on ul");

    public static readonly string[] SurnameEnds = Words("son berg ley man ner ton sky well ford mann dale rick");

    public static readonly string[] TownEnds = Words("ham burg wick ford port ville stead mouth field bridge gate haven");

    public static readonly string[] Seasons = Words("spring summer autumn winter");

    public static readonly string[] Numbers = Words("two three four five six seven eight nine ten twelve twenty fifty");

    public static readonly string[] Ordinals = Words("first second third fourth fifth last");

    public static readonly string[] Near = Words("near behind beside beyond inside above");

    public static readonly string[] Speaking = Words("said replied whispered shouted explained");

    public static readonly string[] Often = Words("often always never sometimes rarely usually");

    /// <summary>The first half of <see cref="FirstNames"/> is female.</summary>
    public static bool IsFemale(int firstName) => firstName < FirstNames.Length / 2;

    private static SampleTopic Topic(string nouns, string verbs, string adjectives, string places, string trades) =>
        new(Words(nouns), Words(verbs), Words(adjectives), Words(places), Words(trades));

    private static string[] Words(string text) => text.Split(' ');
}
