"""Which words say the same, and which say next to nothing: tables, by stems."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from concierge.knowledge.lexical import terms

# A word may stand in several groups; two words mean the same when they share one. No group holds opposites.
_GROUPS: Final = """
find found; buy purchase order acquire; order purchase; cost price charge fee pay payment priced; cost amount; pay payment spend;
begin start commence launch initiate; begin onset beginning outset; end finish conclude stop cease terminate;
complete finish done; complete full entire whole; stop halt discontinue;
send ship dispatch post mail deliver delivery shipping shipment; send transmit forward submit; receive get obtain gain acquire;
get obtain fetch retrieve; help assist aid support assistance; help enable; need require necessary must requirement; need want;
use utilize utilise employ usage; use apply; show display present; show demonstrate reveal indicate; see view look;
tell inform notify; say state mention; name call term title; called named known; make create produce build construct;
build built construct construction assemble; create generate; create set setup establish; establish found set;
give provide offer supply grant; offer provide; give pass; choose select pick choice selection opt;
change modify alter adjust edit update amend; change switch; fix repair mend resolve; solve resolve settle;
problem issue trouble difficulty; error failure fault; large big huge great major; large substantial considerable;
small little tiny minor; fast quick rapid swift speedy; quickly rapidly fast swiftly; slow slowly; begin first;
new recent latest; old former previous earlier prior; earlier previously; last final; last continue persist;
main primary chief principal major; main key; important significant crucial key vital; keep retain maintain hold preserve;
keep store; store save keep hold; remove delete erase; remove eliminate; cancel terminate end; return refund; return back;
send back return; exchange swap replace; replace substitute; free complimentary gratis; include contain comprise incorporate;
include feature; consist comprise; allow permit let enable; allow able can possible; able can capable;
forbid prohibit ban disallow; prevent avoid stop; happen occur; take last require; last duration;
period time term duration window; year annual annually yearly; month monthly; day daily; week weekly; hour hourly;
customer client buyer shopper; user member; person people individual human someone anyone;
people population inhabitant resident citizen; company firm business enterprise corporation organization organisation;
worker employee staff; team staff; boss manager; house home; home domestic; car vehicle automobile; phone telephone; email mail;
website site page; webpage page; app application; software program; guide manual tutorial documentation;
documentation docs document; find locate discover; search find look; check verify confirm; verify confirm validate;
ensure guarantee; ensure sure; guarantee warranty warrant; protect guard safeguard secure; safe secure; damage harm;
broken damaged defective faulty; work function operate run; run execute; run operate; try attempt; try test;
about approximately roughly around circa nearly almost; about regarding concerning; around near; almost nearly;
also additionally; often frequently commonly regularly; usually typically normally generally; usual typical normal;
mostly mainly largely primarily chiefly; several various multiple many numerous; different various distinct separate;
separate individual; many numerous; part portion section component piece; part share; section chapter; kind type sort form;
type category class; group set collection; group team; list enumerate; area region zone district; place location site spot;
located situated based found; location region; country nation state; city town; king monarch ruler; leader head ruler; head lead;
rule govern reign; government administration; war conflict battle; fight battle combat; army military force troops;
attack assault; kill slay; die death dead; born birth; join enter; join connect combine; link connect; connect connection;
leave depart exit; move relocate transfer; move shift; come arrive; reach arrive; reach attain achieve;
grow increase rise expand; increase raise rise boost; decrease reduce lower decline drop fall; reduce lessen cut;
limit restrict cap; limit maximum; limited restricted; high tall; high great; long lengthy; strong powerful; weak feeble;
easy simple straightforward; simply easily; hard difficult tough; clear obvious evident; correct right accurate proper;
wrong incorrect; true real; idea concept notion; theory hypothesis; think believe consider; believe regard; know understand;
learn study; teach instruct; school college; university college; write author; author writer; book volume;
picture image photo photograph; movie film; speak talk; language tongue; answer reply respond response;
ask request inquire enquire; request demand; question query; cause lead result produce trigger; cause reason;
result outcome consequence; effect impact influence; affect influence impact; base basis; become turn;
control manage govern; manage handle administer; handle deal process; process procedure; method way approach technique;
way manner; goal aim purpose objective; aim intend; plan scheme; plan tier; feature function capability;
option choice alternative; setting configuration option; configure set setup; configuration setup; install installation;
deploy deployment; deploy release; publish release; release launch; account profile; login signin sign log; password passphrase;
access entry; access reach; data information; information detail info; detail specific; specify define; define definition;
describe description; describe explain; explain explanation; mean signify; represent stand; reflect show; value worth; total sum;
sum amount; number amount quantity count; measure size; size dimension; weight weigh; colour color; grey gray; sofa couch settee;
chair seat; table desk; lamp light; wood wooden timber; cloth fabric textile; cover coverage; cover include;
repay refund reimburse reimbursement; money cash fund; discount reduction; cheap inexpensive affordable; expensive costly;
stock inventory; available availability; accessible available; open opening; close shut; contact reach; support back;
supported compatible; near close; next following subsequent; following below; above over exceed; below under;
more additional extra further; extra additional; further additional; most majority; only solely exclusively; each every per;
per each; all every; both two; same identical equal; similar alike comparable; opposite contrary; former previous;
current present existing; currently presently now; today now; immediately instantly instant straightaway;
automatic automatically; automated automatic; manual manually; directly direct; require requirement;
recommend suggest advise recommendation; advise counsel; permit authorize authorise; authorization permission; permission right;
right entitlement; entitle eligible qualify; law legal statute; legal lawful; court tribunal; decide determine decision;
agree accept consent; accept take; refuse reject decline deny; appear seem; appear emerge; develop development;
produce production manufacture; manufacturer maker producer; trade commerce; sell sale sold; invent invention;
discover discovery; design devise; scientist researcher; research study investigation; study examine; test trial; evidence proof;
ancient old; originally initially; origin source; originate stem derive; derive descend; modern contemporary;
famous renowned celebrated; famous known; well-known famous; style manner; music musical; play perform; win victory; win gain;
lose loss; defeat beat; capture seize conquer; conquest conquer; invade invasion; settle settlement; river stream; sea ocean;
animal creature; food meal; eat consume; drink consume; doctor physician; ill sick; illness disease sickness;
cure treat treatment; medicine drug medication; children child kid; woman women female; man men male; mother mom; father dad;
religion faith religious; god deity; rule regulation; rich wealthy; begin initial; share divide; divide split; split separate;
spread extend; extend stretch; surround encircle; contain hold; put place; place position; position place; carry transport;
transport transportation; travel journey trip; stay remain; remain stay; watch observe; notice observe; appoint name;
elect choose; serve service; lot many; huge vast enormous; important major; log record; record register;
register enroll enrol sign; registration signup; subscribe subscription; upgrade update; renew renewal;
expire expiry expiration lapse; trial test; invoice bill; bill billing; instance example; query request; trigger cause;
server machine; machine computer; function lambda; file document; folder directory; variable parameter;
parameter argument setting; attribute property; field attribute; terminal console; click press tap; press push; type enter;
enter input; upload submit; copy duplicate; backup copy; restore recover recovery; fail failure; monitor track watch;
track follow; follow track; alert notification notify warning; warning caution; metric measure; visitor guest; traffic visit;
default standard; standard normal; custom customized customised bespoke; custom own; customize customise adapt; private personal;
shared common; common frequent; environment setting; version release; integrate integration; combine merge; merge join;
sort order; order sequence; schedule plan; frequently regularly; duration length; length long; deadline due; due owe; until till;
via through; within inside; inside within; across throughout; throughout during; among amongst between; instead rather;
perhaps maybe possibly; probably likely; job task; retry attempt; throughout across; retain keep; configure create; ensure make;
organize arrange; respective own; replay repeat; fund money; begin open; gain get; instance case; approach way; various several;
author creator; price rate; rate speed; permit licence license; weekday workday; vat tax; colour colors; notify contact;
confirm ensure; purchase sale; additional another; further another; monthly month; yearly year annual; daily day; weekly week;
hourly hour; complete entire; near nearby; spin launch; customise personalise personalize; dispatch ship; courier carrier;
parcel package packet; basket cart; enquiry question inquiry; opening open; evening night; holiday vacation; flat apartment;
autumn fall; lift elevator; postcode zip; reward prize award; award prize honour honor
"""

# What a sentence may add to its source without saying more. Words that strengthen, limit or praise are not here.
_LIGHT: Final = """
throughout consist consists get got gets getting give gives given make makes made making take takes taken taking let lets go goes going come comes put
use uses used using have has had having want wants wish like need please simply easily just also too well then first firstly
second secondly third thirdly next finally lastly here there now however moreover furthermore additionally besides therefore thus
hence overall generally typically usually normally basically essentially specifically particularly especially namely actually
indeed course sure note that's it's you'll we'll they'll one ones thing things way ways case cases kind sort lot bit able can may
might could would should will shall must do does done doing be being been within via per upon onto toward towards across along
around among amongst since though although while whereas whether either neither both another still yet even ever already
regarding concerning respectively order meaning means mean say says said known called according based include includes included
including provide provides provided available involve involves involved happen happens occur occurs help helps allow allows see
find found know check look show shows read yes ok okay right keep set work works part etc e.g i.e eg ie
following follows certain instead rather order simply quickly directly please tell explain remember quick answer short summary
great good news nutshell
"""

# What a list or a heading opens with, beside what it is about.
_ANNOUNCING: Final = """
detail details overview summary answer step steps information info option options key point points example examples note notes
reason reasons instruction instructions follow following below main list things what how why where when who which quick important
question questions next more about guide highlights breakdown requirement requirements
"""

# What only the business can say of itself; a general statement never speaks of it.
_BUSINESS: Final = """
refund return exchange warranty guarantee delivery deliver ship shipping price cost fee charge free discount offer sale deal
promotion coupon voucher cancel order account plan subscription subscribe trial support policy stock invoice billing payment pay
store shop showroom team staff customer product service membership appointment booking reservation upgrade compensation replacement
credit catalogue collection
"""

# Past forms that no stemmer takes back, each behind its verb.
_FORMS: Final = """
begin began begun; take took taken; give gave given; get got gotten; buy bought; bring brought; think thought; teach taught;
catch caught; build built; send sent; spend spent; lend lent; lose lost; leave left; keep kept; sleep slept; feel felt; mean meant;
sell sold; tell told; hold held; stand stood; understand understood; find; bind bound; win won; run ran; come came;
become became; know knew known; grow grew grown; throw threw thrown; draw drew drawn; fly flew flown; see saw seen; eat ate eaten;
fall fell fallen; rise rose risen; write wrote written; drive drove driven; speak spoke spoken; break broke broken;
choose chose chosen; freeze froze frozen; steal stole stolen; wear wore worn; bear bore borne; go went gone; do did done;
make made; say said; pay paid; lead led; meet met; read; sit sat; swim swam swum; sing sang sung; sink sank sunk;
drink drank drunk; ring rang rung; fight fought; seek sought; hear heard; shoot shot; hide hid hidden; ride rode ridden;
forget forgot forgotten; forbid forbade forbidden; shake shook shaken; deal dealt; feed fed; child children; man men;
woman women; person people persons; foot feet; tooth teeth; life lives; wife wives; half halves; mouse mice; datum data;
criterion criteria; analysis analyses; index indices; medium media; prove proven; show shown; swear swore sworn; strike struck;
withdraw withdrew withdrawn; overcome overcame; undergo underwent; arise arose arisen; knife knives
"""


def _past_forms() -> Mapping[str, str]:
    rows = (terms(row) for row in _FORMS.split(";"))
    return {form: verb for verb, *forms in rows for form in forms}


FORMS: Final = _past_forms()


def stems(text: str) -> list[str]:
    """The stems of a text in order, stop words left out, past forms taken back to their verbs."""
    return [FORMS.get(term, term) for term in terms(text)]


def _by_stem() -> Mapping[str, frozenset[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for number, group in enumerate(_GROUPS.split(";")):
        for stem in stems(group):
            found[stem].add(number)
    return {stem: frozenset(groups) for stem, groups in found.items()}


def _alternatives(groups: Mapping[str, frozenset[int]]) -> Mapping[str, frozenset[str]]:
    """The other stems of a stem's groups."""
    members: defaultdict[int, set[str]] = defaultdict(set)
    for stem, own in groups.items():
        for group in own:
            members[group].add(stem)
    return {
        stem: frozenset().union(*(members[group] for group in own)) - {stem} for stem, own in groups.items()
    }


SYNONYMS: Final = _by_stem()
ALTERNATIVES: Final = _alternatives(SYNONYMS)
LIGHT: Final = frozenset(stems(_LIGHT))
ANNOUNCING: Final = frozenset(stems(_ANNOUNCING))
BUSINESS: Final = frozenset(stems(_BUSINESS))
